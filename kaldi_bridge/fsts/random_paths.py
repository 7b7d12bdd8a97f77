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
    if select not in ("uniform", "log_prob", "fast_log_prob"):
        raise KaldiError(f"Unknown or unsupported arc selection type: {select}")
    random = np.random.default_rng(seed)
    arcs: list[tuple[int, int, int, float, int]] = []
    finals: dict[int, float] = {}
    states = 1
    for _ in range(count if fst.start >= 0 else 0):
        path = _path(fst, random, select != "uniform", max_length)
        if path is None:
            continue
        source = 0
        for ilabel, olabel in path:
            arcs.append((source, ilabel, olabel, 0.0, states))
            source, states = states, states + 1
        finals[source] = 0.0
    if not finals:
        return fst.changed(start=-1, finals=fst.finals[:0], offsets=fst.offsets[:1], arcs=fst.arcs[:0])
    made = Fst.from_arcs(0, finals, arcs)
    return fst.changed(start=0, finals=made.finals, offsets=made.offsets, arcs=made.arcs)


def _path(fst: Fst, random: np.random.Generator, by_cost: bool, max_length: int) -> list[tuple[int, int]] | None:
    """Labels; None for a path that comes to no end."""
    path: list[tuple[int, int]] = []
    state = fst.start
    while len(path) <= max_length:
        out, final = fst.arcs_of(state), float(fst.finals[state])
        ways = len(out) + math.isfinite(final)
        if not ways:
            return None
        if by_cost:
            probabilities = np.exp(-np.append(out["weight"].astype(np.float64), final))
            chosen = int(random.choice(len(out) + 1, p=probabilities / probabilities.sum()))
        else:
            chosen = int(random.integers(ways))
        if chosen == len(out):
            return path
        if len(path) == max_length:
            return None
        path.append((int(out["ilabel"][chosen]), int(out["olabel"][chosen])))
        state = int(out["nextstate"][chosen])
    return None
