"""Shortest distances between states and the ends of an FST, and pushing weights by them (fst/push.h, reweight.h)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import ARC
from kaldi_bridge.fsts.rational import is_on_cycle

MOST_ROUNDS = 100_000


def distances(fst: Fst, to_end: bool, in_log: bool = False, delta: float = 1.0 / 1024.0) -> np.ndarray:
    """float64 [states], cost of all ways from each state to an end, or from the start to each state; inf for none.

    The best way counts, or with ``in_log`` all, by iteration until nothing changes by more than ``delta``.
    Raises KaldiError where a cycle makes ways ever cheaper.
    """
    source, target = fst.sources, fst.arcs["nextstate"]
    if to_end:
        source, target = target, source
        first = fst.finals.astype(np.float64)
    else:
        first = np.full(fst.num_states, np.inf)
        first[fst.start] = 0.0
    costs = fst.arcs["weight"].astype(np.float64)
    reached = first
    # Without a cycle there is no way of more arcs than there are states.
    for _ in range(MOST_ROUNDS if in_log else fst.num_states + 1):
        through = reached[source] + costs
        new = first.copy()
        np.minimum.at(new, target, through)
        if in_log:
            new = log_sums(new, first, target, through)
        changed = np.flatnonzero(new != reached)
        if not len(changed) or (in_log and (np.abs(new[changed] - reached[changed]) <= delta * 1e-6).all()):
            return new
        reached = new
    raise KaldiError("the FST has a cycle of negative cost")


def log_sums(best: np.ndarray, costs: np.ndarray, places: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Cost of all that has ``costs`` [n] and, at ``places``, ``more``, together; ``best``: the least of each."""
    scale = np.where(np.isfinite(best), best, 0.0)  # so that no sum is too small for a float
    sums = np.exp(scale - costs) + np.bincount(places, np.exp(scale[places] - more), len(costs))
    with np.errstate(divide="ignore"):
        return scale - np.log(sums)


def weights_pushed(
    fst: Fst,
    to_final: bool = False,
    remove_total_weight: bool = False,
    in_log: bool = False,
    delta: float = 1.0 / 1024.0,
) -> Fst:
    """Costs moved along the paths towards the start, or the ends, as far as they go."""
    if fst.start < 0:
        return fst.changed()
    move = distances(fst, not to_final, in_log, delta)
    known = np.where(np.isfinite(move), move, 0.0).astype(np.float32)  # as OpenFst has them: what cancels is zero
    source, target = fst.sources, fst.arcs["nextstate"]
    arcs, finals = fst.arcs.copy(), fst.finals.copy()
    if to_final:
        finals = (finals + move).astype(np.float32)
        total = _total(finals, in_log)
        both = np.isfinite(move[source]) & np.isfinite(move[target])
        arcs["weight"] = np.where(both, (known[source] + arcs["weight"]) - known[target], arcs["weight"])
        if remove_total_weight and np.isfinite(total):
            finals -= np.float32(total)
        return fst.changed(finals=finals, arcs=arcs)
    total = float(known[fst.start])
    both = np.isfinite(move[source]) & np.isfinite(move[target])
    arcs["weight"] = np.where(both, (arcs["weight"] + known[target]) - known[source], arcs["weight"])
    finals -= known
    pushed = fst.changed(finals=finals, arcs=arcs)
    return pushed if remove_total_weight or not total else _costlier_at_start(pushed, total)


def _costlier_at_start(fst: Fst, cost: float) -> Fst:
    """With the cost on all that leaves the start, or on an arc into it where ways lead back to it."""
    if is_on_cycle(fst, fst.start):
        arc = np.array([(0, 0, cost, fst.start)], ARC)
        return fst.changed(
            start=fst.num_states,
            finals=np.append(fst.finals, np.float32(np.inf)),
            offsets=np.append(fst.offsets, fst.offsets[-1] + 1),
            arcs=np.concatenate([fst.arcs, arc]),
        )
    arcs, finals = fst.arcs.copy(), fst.finals.copy()
    arcs["weight"][fst.offsets[fst.start] : fst.offsets[fst.start + 1]] += np.float32(cost)
    finals[fst.start] += np.float32(cost)
    return fst.changed(finals=finals, arcs=arcs)


def _total(costs: np.ndarray, in_log: bool) -> float:
    best = float(costs.min())
    return best - float(np.log(np.exp(best - costs).sum())) if in_log and np.isfinite(best) else best
