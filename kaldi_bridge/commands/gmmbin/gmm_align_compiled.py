"""nnet-pytorch-gmm-align-compiled: twin of gmm-align-compiled."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.features.front_end import Features, FrontEndOptions
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.alignment import Aligner, AlignOptions
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT, INT32_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Align features given a GMM-based model.
Usage: nnet-pytorch-gmm-align-compiled [options] <model-in> <graphs-rspecifier> <features-rspecifier>
 <alignments-wspecifier> [<scores-wspecifier>]
e.g.: nnet-pytorch-gmm-align-compiled 1.mdl ark:graphs.fsts scp:train.scp ark:1.ali"""


@dataclass
class Options(AlignOptions, FrontEndOptions):
    """Options of gmm-align-compiled."""


def gmm_align_compiled(
    options: Options, model_in: str, graphs: str, feats: str, wspecifier: str, scores_out: str | None = None
) -> int:
    aligner = Aligner(AcousticModel.read(model_in), options)
    loop, total, frames = TableLoop(), 0.0, 0
    with (
        SequentialReader(graphs, FST) as reader,
        Features(options, feats) as features,
        TableWriter(wspecifier, INT32_VECTOR) as writer,
        TableWriter(scores_out or "ark:/dev/null", FLOAT) as scores,
    ):
        for utterance, graph in reader:
            with loop.entry(utterance):
                path = aligner.align(utterance, graph, features.of(utterance))
                writer.write(utterance, path.alignment)
                scores.write(utterance, sum(path.cost))
                total -= sum(path.cost) / options.acoustic_scale
                frames += len(path.alignment)
    average = total / frames if frames else float("nan")
    log.info(f"Overall log-likelihood per frame is {average:g} over {frames} frames.")
    log.info(f"Retried {aligner.retried} out of {loop.done + loop.failed} utterances.")
    log.info(f"Done {loop.done}, errors on {loop.failed}")
    return loop.status


main = command(gmm_align_compiled, usage=USAGE)

if __name__ == "__main__":
    main()
