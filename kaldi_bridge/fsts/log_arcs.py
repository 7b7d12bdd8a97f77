"""Epsilon removal and minimization in the log semiring (fst/rmepsilon.h, minimize.h).

Where ways meet, their probabilities are added.
"""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.distances import weights_pushed
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import ARC
from kaldi_bridge.fsts.fstext import encoded_minimized
from kaldi_bridge.fsts.labels import connected
from kaldi_bridge.fsts.string_minimization import minimized_transducer
from kaldi_bridge.fsts.topological import depth_first

Arcs = list[list[tuple[int, int, float, int]]]


def log_add(*costs: float) -> float:
    """The cost of all together: -log of the sum of exp(-cost)."""
    return float(-np.logaddexp.reduce(-np.array(costs))) if costs else np.inf


def epsilons_removed(fst: Fst, connect: bool = True, delta: float = 1e-6) -> Fst:
    """Without arcs that have neither label; ``connect``: and without states that are not on a path then."""
    if fst.start < 0:
        return fst.changed()
    arcs: Arcs = [fst.arcs_of(state).tolist() for state in range(fst.num_states)]
    finals = fst.finals.astype(np.float64).tolist()
    entered = {fst.start} | {arc[3] for out in arcs for arc in out if arc[0] or arc[1]}
    _, order, _ = depth_first(fst.start, [[arc for arc in out if not (arc[0] or arc[1])] for out in arcs])
    for state in order:  # those that epsilons lead to come before
        if state in entered or not connect:
            arcs[state], finals[state] = _expanded(state, arcs, finals, delta)
    if connect:
        arcs = [out if state in entered else [] for state, out in enumerate(arcs)]
    made = with_arcs(fst, fst.start, finals, arcs)
    return connected(made) if connect else made


def _expanded(
    source: int, arcs: Arcs, finals: list[float], delta: float
) -> tuple[list[tuple[int, int, float, int]], float]:
    """The arcs with labels, and the final cost, of what epsilons lead to from a state."""
    distance = _epsilon_distances(source, arcs, delta)
    found: dict[tuple[int, int, int], float] = {}
    final, seen, waiting = np.inf, set(), [source]
    while waiting:
        state = waiting.pop()
        if state in seen:
            continue
        seen.add(state)
        for ilabel, olabel, cost, target in arcs[state]:
            if not (ilabel or olabel):
                waiting.append(target)
                continue
            key = (ilabel, olabel, target)
            found[key] = log_add(found.get(key, np.inf), distance[state] + cost)
        final = log_add(final, distance[state] + finals[state])
    return [(*key[:2], cost, key[2]) for key, cost in reversed(found.items())], final


def _epsilon_distances(source: int, arcs: Arcs, delta: float) -> dict[int, float]:
    """Of all ways of epsilons, until what is added makes less than ``delta`` of a difference."""
    distance, to_pass_on, waiting = {source: 0.0}, {source: 0.0}, [source]
    while waiting:
        state = waiting.pop(0)
        passed = to_pass_on.pop(state)
        for ilabel, olabel, cost, target in arcs[state]:
            if ilabel or olabel:
                continue
            before = distance.get(target, np.inf)
            after = log_add(before, passed + cost)
            if before - after <= delta:
                continue
            distance[target] = after
            if target not in to_pass_on:
                waiting.append(target)
            to_pass_on[target] = log_add(to_pass_on.get(target, np.inf), passed + cost)
    return distance


def minimized(fst: Fst, delta: float = 1e-6) -> Fst:
    """The smallest deterministic FST that is equivalent, to ``delta``. Raises KaldiError for one that is not."""
    pairs = np.stack([fst.sources, fst.arcs["ilabel"]], axis=1)
    if len(np.unique(pairs, axis=0)) < len(pairs):
        raise KaldiError("Cannot minimize a non-deterministic FST over a non-idempotent semiring")
    if (fst.arcs["ilabel"] != fst.arcs["olabel"]).any():
        return minimized_transducer(fst, delta, in_log=True)
    pushed = weights_pushed(fst, in_log=True, delta=delta)
    symbols = _with_arc_type(pushed, "standard")  # as which costs are taken now
    return _with_arc_type(encoded_minimized(symbols, delta), "log")


def _with_arc_type(fst: Fst, arc_type: str) -> Fst:
    changed = fst.changed()
    if changed.header is not None:
        changed.header.arc_type = arc_type
    return changed


def with_arcs(fst: Fst, start: int, finals: list[float], arcs: Arcs) -> Fst:
    """With the arcs and the final cost of each state; what is known of arcs and symbols stays."""
    offsets = np.concatenate([[0], np.cumsum([len(out) for out in arcs])]).astype(np.int64)
    table = np.array([arc for out in arcs for arc in out], dtype=ARC)
    return fst.changed(start=start, finals=np.array(finals, np.float32), offsets=offsets, arcs=table)
