"""nnet-pytorch-sum-tree-stats: twin of sum-tree-stats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tree_building.files import read_statistics, write_object
from kaldi_bridge.tree_building.statistics import TreeStatistics

USAGE = """Sum statistics for phonetic-context tree building.
Usage: nnet-pytorch-sum-tree-stats [options] <tree-accs-out> <tree-accs-in1> <tree-accs-in2> ...
e.g.: nnet-pytorch-sum-tree-stats treeacc 1.treeacc 2.treeacc 3.treeacc"""


@dataclass
class Options(OutputOptions):
    """Options of sum-tree-stats."""


def sum_tree_stats(options: Options, accs_out: str, first: str, *others: str) -> None:
    parts = [read_statistics(name) for name in (first, *others)]
    try:
        total = TreeStatistics.sum(parts)
    except KaldiError as error:
        raise KaldiError(f"{', '.join((first, *others))}: {error}") from None
    write_object(accs_out, total, options.binary)
    log.info(f"Wrote summed accs ({len(total)} individual stats)")


main = command(sum_tree_stats, usage=USAGE)

if __name__ == "__main__":
    main()
