"""nnet-pytorch-build-tree-two-level: twin of build-tree-two-level."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.hmm.tree import ContextDependency
from kaldi_bridge.io.basic_io import write_header, write_int_vector
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.lang.directory import read_roots
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tree_building.files import read_questions, read_statistics, read_topology, write_object
from kaldi_bridge.tree_building.two_levels import build_two_levels

USAGE = """Train a phonetic decision tree on top of a smaller one; write it, and to which leaf of the smaller one
each of its leaves belongs.
Usage: nnet-pytorch-build-tree-two-level [options] <tree-stats-in> <roots-file> <questions-file> <topo-file> \\
    <tree-out> <mapping-out>
e.g.: nnet-pytorch-build-tree-two-level treeacc roots.int 1.qst topo tree tree.map"""


@dataclass
class Options(OutputOptions):
    """Options of build-tree-two-level."""

    context_width: int = option(3, "Context window size [must match acc-tree-stats]")
    central_position: int = option(1, "Central position in context window [must match acc-tree-stats]")
    max_leaves_first: int = option(1000, "Maximum number of leaves in first-level decision tree.")
    max_leaves_second: int = option(5000, "Maximum number of leaves in second-level decision tree.")
    cluster_leaves: bool = option(True, "If true, do a post-clustering of the leaves of the final decision tree.")


def build_tree_two_level(
    options: Options,
    statistics_in: str,
    roots_in: str,
    questions_in: str,
    topology_in: str,
    tree_out: str,
    mapping_out: str,
) -> None:
    statistics = read_statistics(statistics_in, options.context_width)
    log.info(f"Number of separate statistics is {len(statistics)}")
    tree, mapping = build_two_levels(
        statistics,
        read_roots(roots_in),
        read_questions(questions_in),
        read_topology(topology_in),
        options.central_position,
        (options.max_leaves_first, options.max_leaves_second),
        options.cluster_leaves,
    )
    write_object(tree_out, ContextDependency(options.context_width, options.central_position, tree), options.binary)
    with open_output(mapping_out) as stream:
        write_header(stream, options.binary)
        write_int_vector(stream, options.binary, mapping)
    log.info("Wrote tree and mapping")


main = command(build_tree_two_level, usage=USAGE)

if __name__ == "__main__":
    main()
