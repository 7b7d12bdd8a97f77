"""Pushing and minimizing compact lattices (lat/push-lattice.h, lat/minimize-lattice.h).

Pushing moves transition-ids and costs as far towards the start as they go, so that states with the same future look the
same; minimizing then merges those. All lattices here must be free of cycles; KaldiError otherwise.
"""

from __future__ import annotations

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.topological import topological_order
from kaldi_bridge.lattices.lattice import CompactArc, CompactFinal, CompactLattice, top_sorted

INFINITY = float("inf")


def _sorted(lattice: CompactLattice) -> CompactLattice:
    if topological_order(lattice.start, lattice.arcs) is None:
        raise KaldiError(
            "the lattice has a cycle (empty words in the lexicon, or epsilon cycles in the language model?)"
        )
    return top_sorted(lattice)


def push_strings(lattice: CompactLattice) -> CompactLattice:
    """Transition-ids that all ways on from a state begin with move to the arcs into it."""
    lattice = _sorted(lattice)
    count = lattice.num_states
    common: list[tuple[int, ...]] = [()] * count
    for s in range(count - 1, -1, -1):
        strings = [arc[3] + common[arc[4]] for arc in lattice.arcs[s]]
        final = lattice.finals[s]
        if final is not None:
            strings.append(final[2])
        if s != lattice.start and strings:
            common[s] = _common_prefix(strings)
    arcs: list[list[CompactArc]] = []
    finals: list[CompactFinal | None] = []
    for s in range(count):
        done = len(common[s])
        arcs.append([(w, g, a, (ids + common[t])[done:], t) for w, g, a, ids, t in lattice.arcs[s]])
        final = lattice.finals[s]
        finals.append(None if final is None else (final[0], final[1], final[2][done:]))
    return CompactLattice(lattice.start, arcs, finals)


def _common_prefix(strings: list[tuple[int, ...]]) -> tuple[int, ...]:
    first, last = min(strings), max(strings)
    for i, label in enumerate(first):
        if i >= len(last) or last[i] != label:
            return first[:i]
    return first


def push_weights(lattice: CompactLattice) -> CompactLattice:
    """Each state's best cost to the end moves to the arcs into it; what is left stays at the start state."""
    lattice = _sorted(lattice)
    to_end: list[tuple[float, float]] = [(INFINITY, INFINITY)] * lattice.num_states
    for s in range(lattice.num_states - 1, -1, -1):
        costs = [(g + to_end[t][0], a + to_end[t][1]) for _, g, a, _, t in lattice.arcs[s]]
        final = lattice.finals[s]
        if final is not None:
            costs.append(final[:2])
        to_end[s] = min(costs, key=lambda c: (c[0] + c[1], c[0]), default=(INFINITY, INFINITY))
    if lattice.num_states:
        to_end[lattice.start] = (0.0, 0.0)
    arcs: list[list[CompactArc]] = []
    finals: list[CompactFinal | None] = []
    for s, (graph, acoustic) in enumerate(to_end):
        useful = graph != INFINITY
        arcs.append(
            [
                (w, g + to_end[t][0] - graph, a + to_end[t][1] - acoustic, ids, t)
                for w, g, a, ids, t in lattice.arcs[s]
                if useful and to_end[t][0] != INFINITY
            ]
        )
        final = lattice.finals[s]
        finals.append(None if final is None else (final[0] - graph, final[1] - acoustic, final[2]))
    return CompactLattice(lattice.start, arcs, finals)


def minimize(lattice: CompactLattice, delta: float = 1.0 / 1024) -> CompactLattice:
    """Merges states whose arcs and final costs are the same to within ``delta``; push first."""
    lattice = _sorted(lattice)
    merged = list(range(lattice.num_states))
    groups: dict[object, list[int]] = {}
    for s in range(lattice.num_states - 1, -1, -1):
        arcs = sorted((w, merged[t], ids, g, a) for w, g, a, ids, t in lattice.arcs[s])
        final = lattice.finals[s]
        look = (tuple(arc[:3] for arc in arcs), None if final is None else final[2])
        costs = [c for arc in arcs for c in arc[3:]] + ([] if final is None else [*final[:2]])
        for other in groups.setdefault(look, []):
            theirs = _costs(lattice, other, merged)
            if all(abs(x - y) <= delta for x, y in zip(costs, theirs, strict=True)):
                merged[s] = other
                break
        else:
            groups[look].append(s)
    kept = [s for s in range(lattice.num_states) if merged[s] == s]
    number = {s: i for i, s in enumerate(kept)}
    made = CompactLattice(
        number[merged[lattice.start]] if kept else -1,
        [[(w, g, a, ids, number[merged[t]]) for w, g, a, ids, t in lattice.arcs[s]] for s in kept],
        [lattice.finals[s] for s in kept],
    )
    return top_sorted(made)


def _costs(lattice: CompactLattice, s: int, merged: list[int]) -> list[float]:
    arcs = sorted((w, merged[t], ids, g, a) for w, g, a, ids, t in lattice.arcs[s])
    final = lattice.finals[s]
    return [c for arc in arcs for c in arc[3:]] + ([] if final is None else [*final[:2]])
