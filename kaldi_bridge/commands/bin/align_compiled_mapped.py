"""nnet-pytorch-align-compiled-mapped: twin of align-compiled-mapped."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.lattices.alignment import Aligner, AlignOptions
from kaldi_bridge.lattices.decoder import Graph
from kaldi_bridge.lattices.mapped_latgen import of_each_pdf
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX

USAGE = """Align log-likelihoods, one matrix per utterance with a column for each pdf.
Usage: nnet-pytorch-align-compiled-mapped [options] <transition-model-in> <graphs-rspecifier>
 <log-likelihoods-rspecifier> <alignments-wspecifier> [<scores-wspecifier>]
e.g.: nnet-pytorch-align-compiled-mapped trans.mdl ark:graphs.fsts ark:loglikes.ark ark:1.ali"""


@dataclass
class Options(AlignOptions):
    """Options of align-compiled-mapped."""

    acoustic_scale: float = option(1.0, "Scaling factor for acoustic likelihoods")


def align_compiled_mapped(
    options: Options, model_in: str, graphs: str, log_likelihoods: str, wspecifier: str, scores: str | None = None
) -> int:
    model = read_transition_model(model_in)
    with (
        SequentialReader(log_likelihoods, FLOAT_MATRIX) as matrices,
        RandomAccessReader(graphs, FST) as fsts,
        Aligner(model, options, options.acoustic_scale, wspecifier, scores) as aligner,
    ):
        for utterance, matrix in of_each_pdf(matrices, model):
            if utterance not in fsts:
                aligner.loop.fail(f"No fst for utterance {utterance}")
            elif not len(matrix):
                aligner.loop.fail(f"Empty loglikes matrix utterance: {utterance}")
            else:
                with aligner.loop.entry(utterance):
                    aligner.align(utterance, Graph(aligner.prepared(utterance, fsts[utterance]), model), matrix)
    return aligner.report()


main = command(align_compiled_mapped, usage=USAGE)

if __name__ == "__main__":
    main()
