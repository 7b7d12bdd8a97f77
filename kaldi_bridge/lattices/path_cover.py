"""Paths that cover all arcs of a lattice (latbin/lattice-path-cover.cc): each is the best one through some arc."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError
from kaldi_bridge.lattices.lattice import CompactLattice, sorted_if_needed


@dataclass
class CoveringPath:
    """Its states and words, and its cost, graph plus acoustic."""

    states: list[int]
    words: list[int]
    cost: float


def path_cover(lattice: CompactLattice) -> list[CoveringPath]:
    """The cheapest first. States are numbered as in the lattice, or in topological order where that has none.

    Warns of arcs that cannot be reached from the start. Raises EntryError for a lattice without arcs, KaldiError for
    one with a cycle.
    """
    lattice = sorted_if_needed(lattice)
    if not lattice.num_arcs:
        raise EntryError("the lattice has no arcs")
    return _Cover(lattice).paths()


class _Cover:
    """Best paths to and from each state; of equal ones those that are found first, with states in order."""

    def __init__(self, lattice: CompactLattice) -> None:
        self._start = lattice.start
        costs, sources = lattice.arc_costs.tolist(), lattice.sources.tolist()
        self._arcs = list(zip(sources, lattice.arcs["nextstate"].tolist(), costs, strict=True))
        count = lattice.num_states
        self._before, self._after = [-1] * count, [-1] * count
        self._to = [np.inf] * count
        self._to[lattice.start] = 0.0
        for source, target, cost in self._arcs:
            if self._to[source] + cost < self._to[target]:
                self._to[target], self._before[target] = self._to[source] + cost, source
        self._from = lattice.final_costs.tolist()
        ends = lattice.offsets.tolist()
        for state in range(count - 1, -1, -1):
            for _, target, cost in self._arcs[ends[state] : ends[state + 1]]:
                if self._from[target] + cost < self._from[state]:
                    self._from[state], self._after[state] = self._from[target] + cost, target
        self._cheapest: dict[tuple[int, int], tuple[float, int]] = {}
        for (source, target, cost), label in zip(self._arcs, lattice.arcs["label"].tolist(), strict=True):
            if (source, target) not in self._cheapest or cost < self._cheapest[source, target][0]:
                self._cheapest[source, target] = cost, label

    def paths(self) -> list[CoveringPath]:
        found = []
        covered: set[tuple[int, int]] = set()
        for source, target, cost in self._arcs:
            if (self._before[source], source) not in covered or self._after[source] != target:
                found.append(self._through(source, target, cost))
            covered.add((source, target))
        return sorted(found, key=lambda path: path.cost)

    def _through(self, source: int, target: int, cost: float) -> CoveringPath:
        states = [source]
        while states[-1] != self._start and self._before[states[-1]] >= 0:
            states.append(self._before[states[-1]])
        if states[-1] != self._start:
            log.warning("Failure in path cover algorithm for lattice.")
        states.reverse()
        states.append(target)
        while self._after[states[-1]] >= 0:
            states.append(self._after[states[-1]])
        labels = [self._cheapest[pair][1] for pair in zip(states, states[1:], strict=False)]
        total = self._to[source] + (cost + self._from[target])
        return CoveringPath(states, [label for label in labels if label], total)
