"""A phonetic decision tree (tree/build-tree.cc, BuildTree): roots, splits, clusters of leaves."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.hmm.tree import Constant, EventMap
from kaldi_bridge.lang.directory import Root
from kaldi_bridge.tree_building.bottom_up import bottom_up
from kaldi_bridge.tree_building.gaussian import log_likelihood
from kaldi_bridge.tree_building.maps import leaves, leaves_of, renumbered, root_map, with_leaves
from kaldi_bridge.tree_building.questions import Questions
from kaldi_bridge.tree_building.splitting import split_leaves
from kaldi_bridge.tree_building.statistics import TreeStatistics

ROUND_TO = 8


def build_tree(
    statistics: TreeStatistics,
    roots: Sequence[Root],
    questions: Questions,
    topology: Topology,
    central: int = 1,
    threshold: float = 300.0,
    max_leaves: int = 0,
    cluster_threshold: float = -1.0,
    round_leaves: bool = True,
) -> EventMap:
    """The tree for windows whose phone number ``central`` is the one that is said.

    Args:
        roots: of which phones share a tree, and which may be split.
        threshold: what a split must gain, in log-likelihood over all frames.
        max_leaves: when to stop splitting; 0: no limit.
        cluster_threshold: what joining two leaves may lose; negative: what the last split gained, 0: none are joined.
        round_leaves: join more leaves until their number is a multiple of 8.

    Raises KaldiError when a phone of the statistics is in no root, or the statistics have no phone where one is asked
    for.
    """
    stub = root_map(central, [(root.shared, sorted(root.phones)) for root in roots], topology)
    num_leaves = 1 + max(leaves(stub))
    log.info(f"BuildTree: before building trees, map has {num_leaves} leaves.")
    _check_phones(statistics, roots, central)
    parts = by_leaf(stub, splittable(statistics, roots, central), num_leaves)
    result = split_leaves(parts, questions, threshold, max_leaves, num_leaves)
    log.info(f"DoDecisionTreeSplit: split {result.splits} times, #leaves now {result.num_leaves}")
    log.vlog(
        1,
        f"After decision tree split, num-leaves = {result.num_leaves}, like-impr = "
        f"{result.gain / statistics.num_frames:g} per frame over {statistics.num_frames:g} frames.",
    )
    tree = with_leaves(stub, dict(enumerate(result.subtrees)))
    if cluster_threshold < 0:
        log.info(f"Setting clustering threshold to smallest split {result.smallest:g}")
        cluster_threshold = result.smallest
    if cluster_threshold == 0 and not round_leaves:
        return tree
    joined = tree
    if cluster_threshold > 0:
        joined = join_leaves(tree, stub, statistics, cluster_threshold)
        log.info(f"BuildTree: removed {len(leaves(tree)) - len(leaves(joined))} leaves.")
    if round_leaves:
        before = len(leaves(joined))
        joined = join_leaves(joined, stub, statistics, fewest=before // ROUND_TO * ROUND_TO)
        log.info(f"BuildTree: Rounded num leaves to multiple of 8 by removing {before - len(leaves(joined))} leaves.")
    loss = fit(joined, statistics) - fit(tree, statistics)
    log.vlog(1, f"Objf change due to clustering {loss / statistics.num_frames:g} per frame.")
    log.vlog(1, f"Num-leaves is now {len(leaves(joined))}")
    return renumbered(joined)


def fit(tree: EventMap, statistics: TreeStatistics) -> float:
    """The log-likelihood of all frames, with one Gaussian for each leaf."""
    found = leaves_of(tree, statistics)
    sums = np.stack([statistics.moments[found == leaf].sum(axis=0) for leaf in np.unique(found)])
    return float(log_likelihood(sums, statistics.variance_floor).astype(np.float64).sum())


def join_leaves(
    tree: EventMap,
    stub: EventMap,
    statistics: TreeStatistics,
    threshold: float = math.inf,
    fewest: int | None = None,
) -> EventMap:
    """Makes one of leaves that are alike, only below the same leaf of the stub; see ``bottom_up``.

    Leaves without statistics stay as they are, and count towards ``fewest``.
    """
    if fewest is not None and fewest < len(leaves(stub)):
        log.warning(f"{fewest} leaves are fewer than the tree has roots: joining none.")
        return tree
    root, leaf = leaves_of(stub, statistics), leaves_of(tree, statistics)
    below = [np.unique(leaf[root == r]) for r in np.unique(root)]
    compartments = [np.stack([statistics.moments[leaf == n].sum(axis=0) for n in numbers]) for numbers in below]
    empty = len(leaves(tree)) - sum(map(len, below))
    clusters = bottom_up(compartments, statistics.variance_floor, threshold, max((fewest or 0) - empty, 0))
    new: dict[int, EventMap] = {}
    for numbers, cluster in zip(below, clusters, strict=True):
        new.update({old: Constant(leaf) for old, leaf in zip(numbers.tolist(), numbers[cluster].tolist(), strict=True)})
    return with_leaves(tree, new)


def splittable(statistics: TreeStatistics, roots: Sequence[Root], central: int) -> TreeStatistics:
    """Those of phones that the roots allow to be split."""
    fixed = {phone for root in roots if not root.split for phone in root.phones}
    return statistics.where(~np.isin(statistics.column(central), list(fixed)))


def by_leaf(tree: EventMap, statistics: TreeStatistics, num_leaves: int) -> list[TreeStatistics]:
    """Of each leaf those that fall on it."""
    found = leaves_of(tree, statistics)
    return [statistics.where(found == leaf) for leaf in range(num_leaves)]


def _check_phones(statistics: TreeStatistics, roots: Sequence[Root], central: int) -> None:
    seen = set(statistics.column(central).tolist())
    rooted = {phone for root in roots for phone in root.phones}
    if seen - rooted:
        raise KaldiError(f"phone {min(seen - rooted)} appears in the statistics but is not listed in the roots file")
    if rooted - seen:
        log.warning(f"Saw no stats for following phones: {' '.join(map(str, sorted(rooted - seen)))}")
