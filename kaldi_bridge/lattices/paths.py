"""Single paths through lattices: the best, the n best, random ones."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.topological import topological_order
from kaldi_bridge.lattices.lattice import CompactLattice, Lattice, to_lattice, top_sorted

INFINITY = float("inf")


@dataclass
class Path:
    """Words and transition-ids of a path, and its (graph, acoustic) cost."""

    words: list[int] = field(default_factory=list)
    alignment: list[int] = field(default_factory=list)
    cost: tuple[float, float] = (0.0, 0.0)


def _sorted(lattice: Lattice | CompactLattice) -> Lattice:
    plain = to_lattice(lattice)
    if topological_order(plain.start, plain.arcs) is None:
        raise KaldiError("the lattice has a cycle")
    return top_sorted(plain)


def best_path(lattice: CompactLattice) -> Path | None:
    """The cheapest path; None for a lattice without one. Raises KaldiError where there is a cycle."""
    best = best_path_lattice(lattice)
    if best is None:
        return None
    final = best.finals[-1]
    assert final is not None
    graph_sum, acoustic_sum, ids = final
    words: list[int] = []
    alignment: list[int] = []
    arcs = [arc for out in best.arcs for arc in out]
    for word, _, _, string, _ in arcs:
        words += [word] if word else []
        alignment += string
    for _, graph, acoustic, _, _ in reversed(arcs):
        graph_sum, acoustic_sum = graph_sum + graph, acoustic_sum + acoustic
    return Path(words, [*alignment, *ids], (graph_sum, acoustic_sum))


def best_path_lattice(lattice: CompactLattice) -> CompactLattice | None:
    """The cheapest path, alone; None for a lattice without one. Raises KaldiError where there is a cycle."""
    if topological_order(lattice.start, lattice.arcs) is None:
        raise KaldiError("the lattice has a cycle")
    lattice = top_sorted(lattice)
    count = lattice.num_states
    cost = [INFINITY] * count
    back: list[tuple[int, int] | None] = [None] * count
    if count:
        cost[lattice.start] = 0.0
    best, end = INFINITY, -1
    for s in range(count):
        if cost[s] == INFINITY:
            continue
        final = lattice.finals[s]
        if final is not None and cost[s] + final[0] + final[1] < best:
            best, end = cost[s] + final[0] + final[1], s
        for i, (_, graph, acoustic, _, target) in enumerate(lattice.arcs[s]):
            if cost[s] + graph + acoustic < cost[target]:
                cost[target] = cost[s] + graph + acoustic
                back[target] = (s, i)
    if end < 0:
        return None
    final = lattice.finals[end]
    path = []
    while (step := back[end]) is not None:
        end, i = step
        path.append(lattice.arcs[end][i])
    arcs = [[(word, graph, acoustic, ids, s + 1)] for s, (word, graph, acoustic, ids, _) in enumerate(reversed(path))]
    return CompactLattice(0, [*arcs, []], [*([None] * len(path)), final])


def path_lattice(path_arcs: list[tuple[int, int, float, float]], final: tuple[float, float]) -> Lattice:
    """A lattice of a single path from (transition-id, word, graph cost, acoustic cost) of each arc."""
    arcs = [[(*arc, s + 1)] for s, arc in enumerate(path_arcs)]
    return Lattice(0, [*arcs, []], [*([None] * len(path_arcs)), final])


def n_best_paths(lattice: Lattice, n: int) -> Iterator[Lattice]:
    """The n cheapest paths, the best first, each as a lattice; fewer where there are fewer.

    A* with the exact cost to the end, so that paths come out in order.
    """
    lattice = _sorted(lattice)
    to_end = [INFINITY] * lattice.num_states
    for s in range(lattice.num_states - 1, -1, -1):
        final = lattice.finals[s]
        ways = [g + a + to_end[t] for _, _, g, a, t in lattice.arcs[s]]
        to_end[s] = min([*ways, INFINITY if final is None else sum(final)])
    if lattice.start < 0 or to_end[lattice.start] == INFINITY:
        return
    tie = 0  # equal costs: first in, first out
    # (estimate, tie, cost so far, state or -1 for an ended path, arcs so far as a linked list)
    heap: list[tuple] = [(to_end[lattice.start], tie, 0.0, lattice.start, None)]
    given = 0
    while heap and given < n:
        _, _, cost, s, trace = heapq.heappop(heap)
        if s == -1:
            given += 1
            yield _unwind(trace)
            continue
        final = lattice.finals[s]
        if final is not None:
            tie += 1
            heapq.heappush(heap, (cost + sum(final), tie, cost + sum(final), -1, (trace, final)))
        for arc in lattice.arcs[s]:
            target = arc[4]
            if to_end[target] < INFINITY:
                tie += 1
                so_far = cost + arc[2] + arc[3]
                heapq.heappush(heap, (so_far + to_end[target], tie, so_far, target, (trace, arc[:4])))


def _unwind(trace: tuple) -> Lattice:
    trace, final = trace
    arcs = []
    while trace is not None:
        trace, arc = trace
        arcs.append(arc)
    return path_lattice(arcs[::-1], final)


def random_paths(lattice: Lattice, n: int, rng: random.Random) -> Iterator[Lattice]:
    """n paths, each step chosen with equal probability, all costs zero (as OpenFst's RandGen); repeats are possible.

    The lattice must be connected: every state leads to a final one.
    """
    lattice = _sorted(lattice)
    for _ in range(n if lattice.start >= 0 else 0):
        s = lattice.start
        arcs: list[tuple[int, int, float, float]] = []
        while True:
            ways = len(lattice.arcs[s]) + (lattice.finals[s] is not None)
            choice = rng.randrange(ways)
            if choice == len(lattice.arcs[s]):
                yield path_lattice(arcs, (0.0, 0.0))
                break
            ilabel, olabel, _, _, s = lattice.arcs[s][choice]
            arcs.append((ilabel, olabel, 0.0, 0.0))
