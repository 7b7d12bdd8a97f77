"""Single paths through lattices: the best, the n best, random ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.lattice import (
    LATTICE_ARC,
    NOT_FINAL,
    CompactLattice,
    Lattice,
    is_cyclic,
    selected,
    top_sorted,
)

L = TypeVar("L", Lattice, CompactLattice)


@dataclass
class Path:
    """Words and transition-ids of a path, and its (graph, acoustic) cost."""

    words: list[int] = field(default_factory=list)
    alignment: list[int] = field(default_factory=list)
    cost: tuple[float, float] = (0.0, 0.0)


def _sorted(lattice: L) -> L:
    if is_cyclic(lattice):
        raise KaldiError("the lattice has a cycle")
    return top_sorted(lattice)


def best_path(lattice: CompactLattice) -> Path | None:
    """The cheapest path; None for a lattice without one. Raises KaldiError where there is a cycle."""
    best = best_path_lattice(lattice)
    if best is None:
        return None
    words = best.arcs["label"]
    costs = np.concatenate([best.finals[-1:].T, np.stack([best.arcs["graph"], best.arcs["acoustic"]])[:, ::-1]], axis=1)
    graph, acoustic = costs.astype(np.float64).cumsum(axis=1)[:, -1].tolist()
    return Path(words[words != 0].tolist(), best.strings.tolist(), (graph, acoustic))


def best_path_lattice(lattice: CompactLattice) -> CompactLattice | None:
    """The cheapest path, alone; None for a lattice without one. Raises KaldiError where there is a cycle."""
    lattice = _sorted(lattice)
    arcs, end = lattice.graph.best_path(lattice.arc_costs, lattice.final_costs)
    return path_lattice(lattice, arcs, end) if end >= 0 else None


def path_lattice(lattice: L, arcs: np.ndarray, end: int) -> L:
    """A lattice of a single path: the numbers of its arcs, one after the other, and the state where it ends."""
    count = len(arcs)
    path = selected(lattice, 0, np.minimum(np.arange(count + 2), count), arcs, np.append(np.full(count, -1), end))
    path.arcs["nextstate"] = np.arange(1, count + 1)
    return path


def n_best_paths(lattice: L, n: int) -> Iterator[L]:
    """The n cheapest paths, the best first, each as a lattice; fewer where there are fewer."""
    lattice = _sorted(lattice)
    for arcs, end in lattice.graph.n_best_paths(lattice.arc_costs, lattice.final_costs, n):
        yield path_lattice(lattice, arcs, end)


def between_epsilons(path: Lattice) -> Lattice:
    """A path as OpenFst's search for several leaves each: an epsilon before it, and after it one with its final cost.

    (fst/shortest-path.h, which works from the superfinal state to a superinitial one.)
    """
    count = path.num_arcs + 2
    arcs = np.zeros(count, LATTICE_ARC)
    arcs[1:-1] = path.arcs
    arcs["nextstate"] = np.arange(1, count + 1)
    arcs["graph"][-1], arcs["acoustic"][-1] = path.finals[-1]
    finals = np.full((count + 1, 2), NOT_FINAL)
    finals[-1] = 0.0
    return Lattice(0, np.minimum(np.arange(count + 2), count), arcs, finals)


def random_paths(lattice: Lattice, n: int, rng: random.Random) -> Iterator[Lattice]:
    """n paths, each step chosen with equal probability, all costs zero (as OpenFst's RandGen); repeats are possible.

    The lattice must be connected: every state leads to a final one.
    """
    lattice = _sorted(lattice)
    for arcs, end in random_walks(lattice, n, rng):
        path = path_lattice(lattice, arcs, end)
        path.arcs["graph"] = path.arcs["acoustic"] = 0.0
        path.finals[-1] = 0.0
        yield path


def random_walks(lattice: Lattice, n: int, rng: random.Random) -> Iterator[tuple[np.ndarray, int]]:
    """The arcs of such paths, int64 each, and the states that they end in. There must be no cycle."""
    offsets, targets, final = lattice.offsets.tolist(), lattice.arcs["nextstate"].tolist(), lattice.is_final.tolist()
    for _ in range(n if lattice.start >= 0 else 0):
        state = lattice.start
        arcs: list[int] = []
        while True:
            ways = offsets[state + 1] - offsets[state]
            choices = ways + final[state]
            choice = rng.randrange(choices) if choices > 1 else 0
            if choice == ways:
                break
            arcs.append(offsets[state] + choice)
            state = targets[arcs[-1]]
        yield np.array(arcs, np.int64), state
