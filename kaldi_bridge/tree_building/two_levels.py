"""A large tree whose leaves belong to those of a small one (tree/build-tree.cc, BuildTreeTwoLevel)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.hmm.tree import Constant, EventMap
from kaldi_bridge.lang.directory import Root
from kaldi_bridge.tree_building.build import build_tree, by_leaf, fit, join_leaves, splittable
from kaldi_bridge.tree_building.maps import leaves, leaves_of, renumbered, with_leaves
from kaldi_bridge.tree_building.questions import Questions
from kaldi_bridge.tree_building.splitting import split_leaves
from kaldi_bridge.tree_building.statistics import TreeStatistics


def build_two_levels(
    statistics: TreeStatistics,
    roots: Sequence[Root],
    questions: Questions,
    topology: Topology,
    central: int,
    most_leaves: tuple[int, int],
    cluster_leaves: bool = True,
) -> tuple[EventMap, list[int]]:
    """The large tree, and for each of its leaves that of the small one; leaves of the same one are numbered together.

    Args:
        most_leaves: of the small tree and of the large one.
        cluster_leaves: join leaves of the large tree that are more alike than what the last split made.

    Otherwise as ``build_tree``.
    """
    log.info("****BuildTreeTwoLevel: building first level tree")
    small = build_tree(statistics, roots, questions, topology, central, 0.0, most_leaves[0], 0.0)
    log.info("****BuildTreeTwoLevel: done building first level tree")
    num_small = 1 + max(leaves(small))
    parts = by_leaf(small, splittable(statistics, roots, central), num_small)
    result = split_leaves(parts, questions, 0.0, most_leaves[1], num_small)
    log.info(
        f"Building second-level tree: increased #leaves from {num_small} to {result.num_leaves}, smallest split was "
        f"{result.smallest:g}"
    )
    log.info(
        f"After second decision tree split, num-leaves = {result.num_leaves}, like-impr = "
        f"{result.gain / statistics.num_frames:g} per frame over {statistics.num_frames:g} frames."
    )
    tree = with_leaves(small, dict(enumerate(result.subtrees)))
    if cluster_leaves:
        log.info("Clustering leaves of larger tree.")
        joined = join_leaves(tree, small, statistics, result.smallest)
        log.info(f"BuildTreeTwoLevel: removed {len(leaves(tree)) - len(leaves(joined))} leaves.")
        loss = fit(joined, statistics) - fit(tree, statistics)
        tree = renumbered(joined)
        log.info(f"Objf change due to clustering {loss / statistics.num_frames:g} per frame.")
        log.info(f"Num-leaves now {1 + max(leaves(tree))}")
    mapping = _mapping(small, tree, statistics)
    order = np.lexsort((np.arange(len(mapping)), mapping))
    tree = with_leaves(tree, {old: Constant(new) for new, old in enumerate(order.tolist())})
    return tree, mapping[order].tolist()


def _mapping(small: EventMap, large: EventMap, statistics: TreeStatistics) -> np.ndarray:
    """The small tree's leaf of each leaf of the large one, by the statistics; one without any gets what is left."""
    found: np.ndarray = np.full(1 + max(leaves(large)), -1)
    found[leaves_of(large, statistics)] = leaves_of(small, statistics)
    unseen = sorted(set(leaves(small)) - set(found.tolist()))
    for leaf in unseen:
        log.warning(f"No stats mapping to {leaf} in small tree. Continuing but this is a serious error.")
    for leaf in np.flatnonzero(found < 0).tolist():
        found[leaf] = unseen.pop() if unseen else 0
        log.warning(f"The leaf {leaf} of the large tree has no stats: assigning it to the small tree's {found[leaf]}")
    return found
