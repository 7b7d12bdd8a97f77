"""Paths drawn at random from an FST (fst/randgen.h)."""

from __future__ import annotations

import math

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst


def random_paths(fst: Fst, count: int, seed: int, select: str = "uniform", max_length: int = 1 << 31) -> Fst:
    """An FST of ``count`` paths without costs, all from its start.

    Args:
        select: "uniform", where each arc of a state and its end are as probable, or "log_prob", where costs are
            negative logarithms of their probabilities.
        max_length: longer paths are left out.
    """
    _check(select)
    random = np.random.default_rng(seed)
    arcs: list[tuple[int, int, int, float, int]] = []
    finals: dict[int, float] = {}
    states = 1
    for _ in range(count if fst.start >= 0 else 0):
        path = _path(fst, random, select, max_length)
        if path is None:
            continue
        source = 0
        for ilabel, olabel in path:
            arcs.append((source, ilabel, olabel, 0.0, states))
            source, states = states, states + 1
        finals[source] = 0.0
    if not finals:
        return _empty(fst)
    made = Fst.from_arcs(0, finals, arcs)
    return fst.changed(start=0, finals=made.finals, offsets=made.offsets, arcs=made.arcs)


def random_tree(
    fst: Fst,
    count: int,
    seed: int,
    select: str = "uniform",
    max_length: int = 1 << 31,
    remove_total_weight: bool = False,
) -> Fst:
    """The same paths as a tree, with how often each arc was drawn as its cost, -log of the share of its state's paths.

    Costs of final states are such that those of a whole path say how many they were, or what share of all with
    ``remove_total_weight``. Paths that come to no end stay.
    """
    _check(select)
    random = np.random.default_rng(seed)
    nodes = [(fst.start, count, 0)] if fst.start >= 0 and count > 0 else []  # state, paths, length so far
    arcs: list[tuple[int, int, int, float, int]] = []
    finals: dict[int, float] = {}
    for node, (state, paths, length) in enumerate(nodes):  # grows on the way
        if length >= max_length:
            continue
        out, probabilities = fst.arcs_of(state), _ways(fst, state, select)
        if not len(probabilities):
            continue
        for way, times in enumerate(random.multinomial(paths, probabilities)):
            if not times:
                continue
            cost = -math.log(times / paths)
            if way == len(out):
                finals[node] = cost if remove_total_weight else cost - math.log(count)
                continue
            arcs.append((node, int(out["ilabel"][way]), int(out["olabel"][way]), cost, len(nodes)))
            nodes.append((int(out["nextstate"][way]), int(times), length + 1))
    if not nodes:
        return _empty(fst)
    made = Fst.from_arcs(0, finals, arcs)
    return fst.changed(start=0, finals=made.finals, offsets=made.offsets, arcs=made.arcs)


def _check(select: str) -> None:
    if select not in ("uniform", "log_prob", "fast_log_prob"):
        raise KaldiError(f"Unknown or unsupported arc selection type: {select}")


def _empty(fst: Fst) -> Fst:
    return fst.changed(start=-1, finals=fst.finals[:0], offsets=fst.offsets[:1], arcs=fst.arcs[:0])


def _ways(fst: Fst, state: int, select: str) -> np.ndarray:
    """Probabilities of the arcs of a state, and of its end if it is final; empty where there is nothing."""
    costs = fst.arcs_of(state)["weight"].astype(np.float64)
    if math.isfinite(final := float(fst.finals[state])):
        costs = np.append(costs, final)
    if not len(costs):
        return costs
    shares = np.ones(len(costs)) if select == "uniform" else np.exp(costs.min() - costs)
    return shares / shares.sum()


def _path(fst: Fst, random: np.random.Generator, select: str, max_length: int) -> list[tuple[int, int]] | None:
    """Labels; None for a path that comes to no end."""
    path: list[tuple[int, int]] = []
    state = fst.start
    while True:
        out, probabilities = fst.arcs_of(state), _ways(fst, state, select)
        if not len(probabilities):
            return None
        chosen = int(random.choice(len(probabilities), p=probabilities))
        if chosen == len(out):
            return path
        if len(path) == max_length:
            return None
        path.append((int(out["ilabel"][chosen]), int(out["olabel"][chosen])))
        state = int(out["nextstate"][chosen])
