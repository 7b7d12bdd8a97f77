"""Without paths that cost too much (fst/prune.h); so, too, a composition never made as a whole (prune-special.h)."""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.distances import distances
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.labels import connected

_Pair = tuple[int, int]  # of states
_Arc = tuple[int, float, _Pair]  # output label, cost, where to


def pruned(fst: Fst, beam: float) -> Fst:
    """Only what is on paths that cost at most ``beam`` more than the best one, in the order of before.

    Raises KaldiError where a cycle makes paths ever cheaper.
    """
    if fst.start < 0:
        return fst
    before, after = distances(fst, to_end=False), distances(fst, to_end=True)
    most = after[fst.start] + beam
    sources = fst.sources
    keep = before[sources] + fst.arcs["weight"] + after[fst.arcs["nextstate"]] <= most
    finals = np.where(before + fst.finals <= most, fst.finals, np.float32(np.inf)).astype(np.float32)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(sources[keep], minlength=fst.num_states))]).astype(np.int64)
    return connected(fst.changed(finals=finals, offsets=offsets, arcs=fst.arcs[keep]))


class PrunedComposition:
    """Compositions with one FST, ``second``, whose costs are not negative. Raises KaldiError where some are."""

    def __init__(self, second: Fst) -> None:
        if (second.arcs["weight"] < 0).any() or (second.finals < 0).any():
            raise KaldiError("costs are negative")
        self._second = second
        self._by_input: dict[int, dict[int, list[tuple[int, float, int]]]] = {}

    def of(self, first: Fst, beam: float, most_states: int) -> Fst:
        """``first``, an acceptor without epsilons, then the other one, as an acceptor of output labels, pruned.

        What lies nearest to the start is made first, until paths cost too much or there are more than ``most_states``
        states (0: any number), so that little of the composition is ever made. Raises KaldiError for negative costs.
        """
        if (first.arcs["weight"] < 0).any() or (first.finals < 0).any():
            raise KaldiError("costs are negative")
        if first.start < 0 or self._second.start < 0:
            return first.changed(start=-1, finals=first.finals[:0], offsets=first.offsets[:1], arcs=first.arcs[:0])
        numbers: dict[_Pair, int] = {}
        queue: list[tuple[float, int, int, _Arc | None, float]] = []  # cost, order, from, arc or the end, its cost
        order = itertools.count()
        arcs: list[tuple[int, int, int, float, int]] = []
        finals: dict[int, float] = {}
        best = np.inf

        def reach(pair: _Pair, cost: float) -> int:
            number = numbers[pair] = len(numbers)
            for arc in self._arcs(first, pair):
                heapq.heappush(queue, (cost + arc[1], next(order), number, arc, arc[1]))
            final = float(first.finals[pair[0]] + self._second.finals[pair[1]])
            if final < np.inf:
                heapq.heappush(queue, (cost + final, next(order), number, None, final))
            return number

        reach((first.start, self._second.start), 0.0)
        while queue:
            cost, _, state, arc, own = heapq.heappop(queue)
            if cost > best + beam or 0 < most_states < len(numbers):
                break
            if arc is None:
                finals[state] = own
                best = min(best, cost)
            else:
                label, _, target = arc
                number = numbers.get(target)
                arcs.append((state, label, label, own, reach(target, cost) if number is None else number))
        return pruned(connected(Fst.from_arcs(0, finals, arcs)), beam)

    def _arcs(self, first: Fst, pair: _Pair) -> list[_Arc]:
        state, other = pair
        by_input = self._by_input.get(other)
        if by_input is None:
            by_input = self._by_input[other] = defaultdict(list)
            for ilabel, olabel, cost, target in self._second.arcs_of(other).tolist():
                by_input[ilabel].append((olabel, cost, target))
        alone = [(olabel, cost, (state, target)) for olabel, cost, target in by_input.get(0, ())]
        together = [
            (olabel, float(np.float32(cost) + np.float32(more)), (next_state, target))
            for ilabel, _, cost, next_state in first.arcs_of(state).tolist()
            for olabel, more, target in by_input.get(ilabel, ())
        ]
        return alone + together
