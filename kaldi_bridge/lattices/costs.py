"""Changing the costs of lattices: scales, word penalties, pruning."""

from __future__ import annotations

from typing import Any, TypeVar

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.topological import topological_order
from kaldi_bridge.lattices.lattice import CompactLattice, Lattice, top_sorted

L = TypeVar("L", Lattice, CompactLattice)

INFINITY = float("inf")


def _cost_at(lattice: Lattice | CompactLattice) -> int:
    """Where an arc's graph cost stands; its acoustic cost comes next."""
    return 1 if isinstance(lattice, CompactLattice) else 2


def scale(
    lattice: L,
    acoustic: float = 1.0,
    graph: float = 1.0,
    acoustic_to_graph: float = 0.0,
    graph_to_acoustic: float = 0.0,
) -> L:
    """New graph cost: graph * g + acoustic_to_graph * a; new acoustic cost: graph_to_acoustic * g + acoustic * a."""
    if (acoustic, graph, acoustic_to_graph, graph_to_acoustic) == (1.0, 1.0, 0.0, 0.0):
        return lattice
    at = _cost_at(lattice)

    def scaled(item: tuple[Any, ...], i: int) -> tuple[Any, ...]:
        g, a = item[i], item[i + 1]
        costs = (graph * g + acoustic_to_graph * a, graph_to_acoustic * g + acoustic * a)
        return item[:i] + costs + item[i + 2 :]

    arcs: list[Any] = [[scaled(arc, at) for arc in out] for out in lattice.arcs]
    finals: list[Any] = [None if final is None else scaled(final, 0) for final in lattice.finals]
    return type(lattice)(lattice.start, arcs, finals)


def add_word_penalty(lattice: CompactLattice, penalty: float) -> CompactLattice:
    """Adds the penalty to the graph cost of each arc with a word."""
    arcs = [
        [(word, g + penalty if word else g, a, ids, target) for word, g, a, ids, target in out] for out in lattice.arcs
    ]
    return CompactLattice(lattice.start, arcs, list(lattice.finals))


def prune(lattice: L, beam: float) -> L:
    """Keeps arcs and final costs on paths within ``beam`` of the best one.

    Raises KaldiError for a lattice with a cycle or none but a positive beam.
    """
    if not beam > 0:
        raise KaldiError(f"the beam {beam:g} must be greater than zero")
    if topological_order(lattice.start, lattice.arcs) is None:
        raise KaldiError("cycles detected in lattice")
    lattice = top_sorted(lattice)
    at, count = _cost_at(lattice), lattice.num_states
    arcs_of: list[list[tuple[Any, ...]]] = list(lattice.arcs)
    forward, backward = [INFINITY] * count, [INFINITY] * count
    if count:
        forward[lattice.start] = 0.0
    for s in range(count):
        for arc in arcs_of[s]:
            forward[arc[-1]] = min(forward[arc[-1]], forward[s] + arc[at] + arc[at + 1])
    for s in range(count - 1, -1, -1):
        final = lattice.finals[s]
        ways: list[float] = [arc[at] + arc[at + 1] + backward[arc[-1]] for arc in arcs_of[s]]
        backward[s] = min([*ways, INFINITY if final is None else final[0] + final[1]], default=INFINITY)
    cutoff = (backward[lattice.start] if count else 0.0) + beam
    arcs: list[Any] = []
    finals: list[Any] = []
    for s in range(count):
        arcs.append([a for a in arcs_of[s] if forward[s] + a[at] + a[at + 1] + backward[a[-1]] <= cutoff])
        final = lattice.finals[s]
        finals.append(final if final is not None and forward[s] + final[0] + final[1] <= cutoff else None)
    return connected(type(lattice)(lattice.start, arcs, finals))


def connected(lattice: L) -> L:
    """Drops states that cannot be reached or from which no final state can be."""
    forward = [False] * lattice.num_states
    stack = [lattice.start] if lattice.start >= 0 else []
    while stack:
        s = stack.pop()
        if not forward[s]:
            forward[s] = True
            stack.extend(arc[-1] for arc in lattice.arcs[s])
    into: list[list[int]] = [[] for _ in lattice.arcs]
    for s, out in enumerate(lattice.arcs):
        for arc in out:
            into[arc[-1]].append(s)
    backward = [False] * lattice.num_states
    stack = [s for s, final in enumerate(lattice.finals) if final is not None]
    while stack:
        s = stack.pop()
        if not backward[s]:
            backward[s] = True
            stack.extend(into[s])
    kept = [s for s in range(lattice.num_states) if forward[s] and backward[s]]
    number = {s: i for i, s in enumerate(kept)}
    if lattice.start not in number:
        return type(lattice)(-1, [], [])
    arcs_of: list[list[tuple[Any, ...]]] = list(lattice.arcs)
    arcs: list[Any] = [
        [(*a[:-1], number[a[-1]]) for a in arcs_of[s] if a[-1] in number]  # type: ignore[has-type]
        for s in kept
    ]
    finals: list[Any] = [lattice.finals[s] for s in kept]
    return type(lattice)(number[lattice.start], arcs, finals)


def acoustic_scale_of(acoustic_scale: float, inv_acoustic_scale: float) -> float:
    """The acoustic scale from the two options that can set it. Raises KaldiError when both do."""
    if acoustic_scale != 1.0 and inv_acoustic_scale != 1.0:
        raise KaldiError("set either --acoustic-scale or --inv-acoustic-scale, not both")
    if inv_acoustic_scale == 0.0:
        raise KaldiError("--inv-acoustic-scale must not be zero")
    return acoustic_scale if inv_acoustic_scale == 1.0 else 1.0 / inv_acoustic_scale
