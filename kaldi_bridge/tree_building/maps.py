"""Operations on trees: their leaves, other leaves, the leaves that statistics belong to (tree/build-tree-utils.cc)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.hmm.tree import PDF_CLASS, Constant, EventMap, Split, Table, answers
from kaldi_bridge.tree_building.statistics import NOT_ASKED, TreeStatistics


def leaves(tree: EventMap) -> list[int]:
    """The numbers of all leaves, sorted."""
    return sorted(answers(tree, {}))


def with_leaves(tree: EventMap, new: Mapping[int, EventMap]) -> EventMap:
    """The tree with other trees in the place of some leaves."""
    if isinstance(tree, Constant):
        return new.get(tree.answer, tree)
    if isinstance(tree, Table):
        return Table(tree.key, tuple(None if child is None else with_leaves(child, new) for child in tree.children))
    return Split(tree.key, tree.yes_set, with_leaves(tree.yes, new), with_leaves(tree.no, new))


def renumbered(tree: EventMap) -> EventMap:
    """The tree with leaves numbered from 0, in the order of their numbers."""
    return with_leaves(tree, {leaf: Constant(number) for number, leaf in enumerate(leaves(tree))})


def leaves_of(tree: EventMap, statistics: TreeStatistics) -> np.ndarray:
    """The leaf of each event [n]. Raises KaldiError for an event that the tree has no leaf for."""
    found = np.full(len(statistics), -1, np.int32)

    def fill(node: EventMap | None, rows: np.ndarray) -> None:
        if node is None or not len(rows):
            return
        if isinstance(node, Constant):
            found[rows] = node.answer
            return
        values = statistics.column(node.key)[rows]
        if (values == NOT_ASKED).any():
            return
        if isinstance(node, Split):
            is_yes = np.isin(values, list(node.yes_set))
            fill(node.yes, rows[is_yes])
            fill(node.no, rows[~is_yes])
        else:
            for value in np.unique(values[values < len(node.children)]).tolist():
                fill(node.children[value], rows[values == value])

    fill(tree, np.arange(len(statistics)))
    if (found < 0).any():
        event = statistics.events[found < 0][0].tolist()
        raise KaldiError(
            f"the tree has no leaf for the pdf class {event[0]} and the phones {event[1:]}: are --context-width and "
            "--central-position those of the statistics, and do context-independent phones have roots of their own?"
        )
    return found


def root_map(central: int, roots: Sequence[tuple[bool, Sequence[int]]], topology: Topology) -> EventMap:
    """A tree that only tells which of the roots a phone belongs to, and its pdf class where they are not shared.

    ``roots``: (whether all pdf classes share one leaf, phones) each. Raises KaldiError when a phone is in two of them.
    """
    every = [phone for _, phones in roots for phone in phones]
    if not every or len(set(every)) < len(every) or not all(phones for _, phones in roots):
        raise KaldiError("the roots of a tree are empty, or have a phone twice")
    count = 0

    def leaf() -> Constant:
        nonlocal count
        count += 1
        return Constant(count - 1)

    def below(part: Sequence[tuple[bool, Sequence[int]]]) -> EventMap:
        if len(part) == 1:
            shared, phones = part[0]
            if shared:
                return leaf()
            return Table(PDF_CLASS, tuple(leaf() for _ in range(max(map(topology.num_pdf_classes, phones)))))
        largest = max(phone for _, phones in part for phone in phones)
        if all(len(phones) == 1 for _, phones in part) and len(part) <= 2 * largest:
            children: list[EventMap | None] = [None] * (largest + 1)
            for root in part:
                children[root[1][0]] = below([root])
            return Table(central, tuple(children))
        half = len(part) // 2
        first = frozenset(phone for _, phones in part[:half] for phone in phones)
        yes = below(part[:half])
        return Split(central, first, yes, below(part[half:]))

    return below(roots)
