"""nnet-pytorch-gmm-compute-likes: twin of gmm-compute-likes."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import within
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX

USAGE = """Compute log-likelihoods of a GMM-based model: a matrix [frames, pdfs] for each utterance.
Usage: nnet-pytorch-gmm-compute-likes [options] <model-in> <features-rspecifier> <likes-wspecifier>
e.g.: nnet-pytorch-gmm-compute-likes 1.mdl scp:feats.scp ark:likes.ark"""


@dataclass
class Options:
    """No options of its own."""


def gmm_compute_likes(options: Options, model_in: str, feats: str, wspecifier: str) -> None:
    mixtures = AcousticModel.read(model_in).mixtures
    done = 0
    with SequentialReader(feats, FLOAT_MATRIX) as reader, TableWriter(wspecifier, FLOAT_MATRIX) as writer:
        for utterance, matrix in reader:
            with within(f"utterance {utterance}"):
                writer.write(utterance, mixtures.log_likelihoods(matrix))
            done += 1
    log.info(f"gmm-compute-likes: computed likelihoods for {done} utterances.")


main = command(gmm_compute_likes, usage=USAGE)

if __name__ == "__main__":
    main()
