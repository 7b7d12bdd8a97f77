"""Splitting the leaves of a tree, the most rewarding question first (tree/build-tree-utils.cc, SplitDecisionTree)."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import numpy as np

from kaldi_bridge.hmm.tree import Constant, EventMap, Split
from kaldi_bridge.tree_building.gaussian import log_likelihood
from kaldi_bridge.tree_building.phone_clusters import refine
from kaldi_bridge.tree_building.questions import Question, Questions
from kaldi_bridge.tree_building.statistics import NOT_ASKED, TreeStatistics


@dataclass
class SplitResult:
    """``subtrees``: what grew from each leaf; ``gain`` in log-likelihood over all frames, ``smallest`` of one split."""

    subtrees: list[EventMap]
    num_leaves: int
    splits: int
    gain: float
    smallest: float


def split_leaves(
    by_leaf: list[TreeStatistics], questions: Questions, threshold: float, max_leaves: int, num_leaves: int
) -> SplitResult:
    """Splits leaves until no split gains more than ``threshold`` or there are ``max_leaves`` (0: no limit).

    ``by_leaf``: the statistics of each leaf that may be split; ``num_leaves`` counts the others too.
    """
    asked = _Asked(questions)
    nodes = [_Node(asked, statistics, leaf) for leaf, statistics in enumerate(by_leaf)]
    queue = [(-node.gain, -index) for index, node in enumerate(nodes)]
    heapq.heapify(queue)
    result = SplitResult([], num_leaves, 0, 0.0, 1.0e10)
    while queue and -queue[0][0] > threshold and (max_leaves <= 0 or result.num_leaves < max_leaves):
        gain, index = -queue[0][0], -queue[0][1]
        nodes[index].split(result.num_leaves)
        heapq.heapreplace(queue, (-nodes[index].gain, -index))
        result.num_leaves += 1
        result.splits += 1
        result.gain += gain
        result.smallest = min(result.smallest, gain)
    result.subtrees = [node.tree() for node in nodes]
    return result


class _Asked:
    """The questions as tables: which values each says yes to."""

    def __init__(self, questions: Questions) -> None:
        self.of = {key: of_key for key, of_key in questions.of.items() if of_key}
        self.tables = {key: self._table(of_key) for key, of_key in self.of.items()}
        self.refinements = questions.refinements

    @staticmethod
    def _table(questions: list[Question]) -> np.ndarray:
        """float64 [questions, largest value + 1], 1 for yes."""
        table = np.zeros((len(questions), 1 + max(max(q, default=0) for q in questions)))
        for row, question in enumerate(questions):
            table[row, list(question)] = 1.0
        return table

    def best(self, statistics: TreeStatistics) -> tuple[float, int, Question]:
        """The gain of the best split, its key and question; a gain of 0 where none gains anything."""
        best: tuple[float, int, Question] = (0.0, 0, ())
        if len(statistics) <= 1:
            return best
        for key, table in self.tables.items():
            values = statistics.column(key)
            if (values == NOT_ASKED).any():
                continue
            present, sums = _sums_by_value(values, statistics.moments)
            gains = _gains(sums, table, present, statistics.variance_floor)
            row = int(gains.argmax())
            gain, question = float(gains[row]), self.of[key][row]
            if self.refinements:
                if gain <= 0:
                    gain, question = 0.0, ()
                sides = _is_yes(present, question).astype(np.int32)
                clusters = np.stack([sums[sides == side].sum(axis=0) for side in (0, 1)])
                gain += float(refine(sums, clusters, sides, statistics.variance_floor, self.refinements))
                question = tuple(present[sides == 1].tolist())
            if gain > best[0]:
                best = (gain, key, question)
        return best


def _sums_by_value(values: np.ndarray, moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values that occur, sorted [v], and the sums of the moments with each [v, m]."""
    order = np.argsort(values, kind="stable")
    present, first = np.unique(values[order], return_index=True)
    return present, np.add.reduceat(moments[order], first, axis=0)


def _is_yes(values: np.ndarray, question: Question) -> np.ndarray:
    """Which of the values, none of them negative, the question says yes to: bool."""
    table = np.zeros(1 + max(values.max(initial=0), max(question, default=0)), bool)
    table[list(question)] = True
    return table[values]


def _gains(sums: np.ndarray, table: np.ndarray, present: np.ndarray, floor: float) -> np.ndarray:
    """What each question gains, float32 [questions].

    The side with fewer values is summed, the other is the rest, so that questions for one side or for the other gain
    the very same.
    """
    is_yes = np.zeros((len(table), len(present)))
    known = present < table.shape[1]
    is_yes[:, known] = table[:, present[known]]
    flipped = is_yes.sum(axis=1) - 0.5 * is_yes[:, 0] >= len(present) / 2
    is_yes[flipped] = 1.0 - is_yes[flipped]
    few, total = is_yes @ sums, sums.sum(axis=0)
    fits = log_likelihood(np.concatenate([total - few, few, total[np.newaxis]]), floor)
    return fits[: len(few)] + fits[len(few) : -1] - fits[-1]


@dataclass
class _Node:
    """A leaf, or a split with two nodes below. ``gain``: of the best split in it."""

    asked: _Asked
    statistics: TreeStatistics | None
    leaf: int
    key: int = 0
    question: Question = ()
    below: tuple[_Node, _Node] | None = None  # for yes and no
    gain: float = field(default=0.0)

    def __post_init__(self) -> None:
        assert self.statistics is not None
        self.gain, self.key, self.question = self.asked.best(self.statistics)

    def split(self, new_leaf: int) -> None:
        """Does the best split in this node; its leaf stays where the answer is yes, ``new_leaf`` is for no."""
        path = [self]
        while path[-1].below is not None:
            yes, no = path[-1].below
            path.append(yes if yes.gain >= no.gain else no)
        path[-1]._split_here(new_leaf)
        for node in reversed(path):
            assert node.below is not None
            node.gain = max(node.below[0].gain, node.below[1].gain)

    def _split_here(self, new_leaf: int) -> None:
        assert self.statistics is not None
        is_yes = _is_yes(self.statistics.column(self.key), self.question)
        self.below = (
            _Node(self.asked, self.statistics.where(is_yes), self.leaf),
            _Node(self.asked, self.statistics.where(~is_yes), new_leaf),
        )
        self.statistics = None

    def tree(self) -> EventMap:
        if self.below is None:
            return Constant(self.leaf)
        return Split(self.key, frozenset(self.question), self.below[0].tree(), self.below[1].tree())
