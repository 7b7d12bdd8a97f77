"""nnet-pytorch-build-tree: twin of build-tree."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.hmm.tree import ContextDependency
from kaldi_bridge.lang.directory import read_roots
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tree_building.build import build_tree as build
from kaldi_bridge.tree_building.files import read_questions, read_statistics, read_topology, write_object

USAGE = """Train a phonetic decision tree.
Usage: nnet-pytorch-build-tree [options] <tree-stats-in> <roots-file> <questions-file> <topo-file> <tree-out>
e.g.: nnet-pytorch-build-tree treeacc roots.int 1.qst topo tree"""


@dataclass
class Options(OutputOptions):
    """Options of build-tree."""

    context_width: int = option(3, "Context window size [must match acc-tree-stats]")
    central_position: int = option(1, "Central position in context window [must match acc-tree-stats]")
    max_leaves: int = option(0, "Maximum number of leaves to be used in tree-building (if positive)")
    thresh: float = option(300.0, "Log-likelihood change threshold for tree-building")
    cluster_thresh: float = option(
        -1.0,
        "Log-likelihood change threshold for clustering after tree-building. 0 means no clustering; -1 means the "
        "likelihood change of the final split.",
    )
    round_num_leaves: bool = option(True, "Reduce the number of leaves to a multiple of 8 by clustering.")


def build_tree(
    options: Options, statistics_in: str, roots_in: str, questions_in: str, topology_in: str, tree_out: str
) -> None:
    statistics = read_statistics(statistics_in, options.context_width)
    log.info(f"Number of separate statistics is {len(statistics)}")
    tree = build(
        statistics,
        read_roots(roots_in),
        read_questions(questions_in),
        read_topology(topology_in),
        options.central_position,
        options.thresh,
        options.max_leaves,
        options.cluster_thresh,
        options.round_num_leaves,
    )
    write_object(tree_out, ContextDependency(options.context_width, options.central_position, tree), options.binary)
    log.info("Wrote tree")


main = command(build_tree, usage=USAGE)

if __name__ == "__main__":
    main()
