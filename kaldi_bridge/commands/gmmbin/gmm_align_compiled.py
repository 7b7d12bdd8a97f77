"""nnet-pytorch-gmm-align-compiled: twin of gmm-align-compiled."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.features.front_end import Features, FrontEndOptions
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.graph_scoring import scored
from kaldi_bridge.lattices.alignment import Aligner, AlignOptions
from kaldi_bridge.tables import SequentialReader

USAGE = """Align features given a GMM-based model.
Usage: nnet-pytorch-gmm-align-compiled [options] <model-in> <graphs-rspecifier> <features-rspecifier>
 <alignments-wspecifier> [<scores-wspecifier>]
e.g.: nnet-pytorch-gmm-align-compiled 1.mdl ark:graphs.fsts scp:train.scp ark:1.ali"""


@dataclass
class Options(AlignOptions, FrontEndOptions):
    """Options of gmm-align-compiled."""

    acoustic_scale: float = option(1.0, "Scaling factor for acoustic likelihoods")


def gmm_align_compiled(
    options: Options, model_in: str, graphs: str, feats: str, wspecifier: str, scores: str | None = None
) -> int:
    model = AcousticModel.read(model_in)
    with (
        SequentialReader(graphs, FST) as reader,
        Features(options, feats) as features,
        Aligner(model.transitions, options, options.acoustic_scale, wspecifier, scores) as aligner,
    ):
        for utterance, graph in reader:
            with aligner.loop.entry(utterance):
                log.info(utterance)
                prepared = aligner.prepared(utterance, graph)
                aligner.align(utterance, *scored(model, prepared, features.of(utterance)))
    return aligner.report()


main = command(gmm_align_compiled, usage=USAGE)

if __name__ == "__main__":
    main()
