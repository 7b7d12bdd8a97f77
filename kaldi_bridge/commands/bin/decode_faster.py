"""nnet-pytorch-decode-faster: twin of decode-faster."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, without_effect
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.lattices.best_paths import BestPathOptions, FasterOptions, write_best_paths
from kaldi_bridge.lattices.decoder import LabelGraph
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX

USAGE = """Find the best paths through a graph whose input label i is scored by column i - 1 of log-likelihoods.
Usage: nnet-pytorch-decode-faster [options] <fst-in> <loglikes-rspecifier> <words-wspecifier> \\
    [<alignments-wspecifier>]
e.g.: nnet-pytorch-decode-faster --acoustic-scale=0.3 HCLG.fst ark:loglikes.ark ark:/dev/null ark:1.ali"""


@dataclass
class Options(FasterOptions, BestPathOptions):
    """Options of decode-faster."""

    binary: bool = without_effect(True, "Tables are as their wspecifiers say, as in Kaldi")


def decode_faster(
    options: Options, fst_in: str, scores_rspecifier: str, words_wspecifier: str, alignments: str | None = None
) -> int:
    find, search = options.search()
    graph = LabelGraph(read_fst(fst_in), fst_in)
    with SequentialReader(scores_rspecifier, FLOAT_MATRIX) as matrices:
        return write_best_paths(find, search, options, graph, graph.scores, matrices, words_wspecifier, alignments)


main = command(decode_faster, usage=USAGE)

if __name__ == "__main__":
    main()
