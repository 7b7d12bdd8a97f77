"""Whether two FSTs are the same but for the numbers of states, or accept the same (fst/isomorphic.h, equivalent.h)."""

from __future__ import annotations

from collections import deque

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.distances import distances, weights_pushed
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.labels import connected
from kaldi_bridge.fsts.openfst import OpenFst
from kaldi_bridge.fsts.random_paths import random_paths
from kaldi_bridge.fsts.rational import arc_sorted, projected
from kaldi_bridge.fsts.topological import topological_order

DELTA = 1.0 / 1024.0
_SIDES = (("input", "olabel"), ("output", "ilabel"))


def are_isomorphic(first: Fst, second: Fst, delta: float = DELTA) -> bool:
    """Whether states can be paired so that all arcs have equal labels and costs that differ by at most ``delta``.

    Raises KaldiError where arcs of a state with equal labels and costs leave open which ones to pair, and the first
    choice fails.
    """
    if first.start < 0 or second.start < 0:
        return first.start < 0 and second.start < 0
    pairs = {first.start: second.start}
    waiting = deque(pairs.items())
    ambiguous = False
    while waiting:
        one, other = waiting.popleft()
        mine, theirs = _in_order(first, one), _in_order(second, other)
        same = len(mine) == len(theirs) and _near(float(first.finals[one]), float(second.finals[other]), delta)
        for i, (a, b) in enumerate(zip(mine, theirs, strict=False)):
            if not same or a[:2] != b[:2] or not _near(a[2], b[2], delta):
                same = False
                break
            if a[3] not in pairs:
                pairs[a[3]] = b[3]
                waiting.append((a[3], b[3]))
            elif pairs[a[3]] != b[3]:
                same = False
                break
            ambiguous = ambiguous or (i > 0 and mine[i - 1][:2] == a[:2] and _near(mine[i - 1][2], a[2], delta))
        if not same:
            if ambiguous:
                raise KaldiError("Isomorphic: Non-determinism as an unweighted automaton")
            return False
    return True


def are_equivalent(first: Fst, second: Fst, delta: float = DELTA) -> bool:
    """Whether two deterministic acceptors without epsilons accept the same, at costs that differ by at most ``delta``.

    Raises KaldiError for other FSTs.
    """
    for ordinal, fst in (("1st", first), ("2nd", second)):
        if not _is_deterministic_acceptor(fst):
            raise KaldiError(f"Equivalent: {ordinal} argument not an epsilon-free deterministic acceptor")
    pushed = []
    for fst in (first, second):
        weighted = fst.arcs["weight"].any() or fst.finals[np.isfinite(fst.finals)].any()
        pushed.append(weights_pushed(fst, delta=delta) if weighted else fst)
    one, other = pushed
    leader: dict[tuple[int, int], tuple[int, int]] = {}

    def find(state: tuple[int, int]) -> tuple[int, int]:
        while state in leader:
            state = leader[state]
        return state

    waiting = deque([(one.start, other.start)])
    while waiting:  # Hopcroft and Karp: pairs of states that must be equivalent; -1 is one without a way to an end
        a, b = waiting.popleft()
        if not _near(_final(one, a), _final(other, b), delta):
            return False
        left, right = find((0, a)), find((1, b))
        if left == right:
            continue
        leader[right] = left
        mine, theirs = _by_label(one, a), _by_label(other, b)
        for label in mine.keys() | theirs.keys():
            (cost, target), (its_cost, its_target) = mine.get(label, (np.inf, -1)), theirs.get(label, (np.inf, -1))
            if target >= 0 and its_target >= 0 and not _near(cost, its_cost, delta):
                return False
            waiting.append((target, its_target))
    return True


def are_equivalent_at_random(
    first: Fst, second: Fst, count: int, seed: int, select: str, max_length: int, delta: float = DELTA
) -> bool:
    """Whether ``count`` paths drawn from one or the other FST cost the same in both (fst/randequivalent.h).

    What a path costs in an FST is what all ways with its labels cost together, in its own semiring; costs that differ
    by less than ``delta`` are the same.
    """
    fsts = [arc_sorted(connected(fst)) for fst in (first, second)]
    random = np.random.default_rng(seed)
    for _ in range(count):
        path = random_paths(fsts[int(random.integers(2))], 1, int(random.integers(1 << 62)), select, max_length)
        one, other = (_cost_of(path, fst) for fst in fsts)
        if one is not None and other is not None and not _near(one, other, delta):
            return False
    return True


def _cost_of(path: Fst, fst: Fst) -> float | None:
    """Of all ways in the FST that have the path's labels; None where in the log semiring it has a cycle of them."""
    in_log = fst.header is not None and fst.header.arc_type == "log"
    asked, answered = (OpenFst.of_any(arc_sorted(projected(path, side), by)) for side, by in _SIDES)
    ways = asked.composed(OpenFst.of_any(fst)).arc_sorted("olabel").composed(answered).fst()
    if ways.start < 0:
        return np.inf
    if in_log and topological_order(ways.start, [ways.arcs_of(s).tolist() for s in range(ways.num_states)]) is None:
        return None
    return float(distances(ways, True, in_log)[ways.start])


def _near(a: float, b: float, delta: float) -> bool:
    return a <= b + delta and b <= a + delta


def _in_order(fst: Fst, state: int) -> list[tuple[int, int, float, int]]:
    return sorted(fst.arcs_of(state).tolist())


def _final(fst: Fst, state: int) -> float:
    return float(fst.finals[state]) if state >= 0 else np.inf


def _by_label(fst: Fst, state: int) -> dict[int, tuple[float, int]]:
    return {arc[0]: (arc[2], arc[3]) for arc in fst.arcs_of(state).tolist()} if state >= 0 else {}


def _is_deterministic_acceptor(fst: Fst) -> bool:
    labels = fst.arcs["ilabel"]
    pairs = fst.sources * (1 << 32) + labels
    return bool((labels == fst.arcs["olabel"]).all() and (labels != 0).all() and len(np.unique(pairs)) == len(pairs))
