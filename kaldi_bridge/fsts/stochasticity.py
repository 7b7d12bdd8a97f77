"""How far the probabilities out of the states of an FST are from summing to one (fstext/fstext-utils.h)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.fsts.fst import Fst


def costs_out(fst: Fst, in_log: bool = True) -> tuple[float, float]:
    """The least and the most cost that all ways out of a state have together: final cost and arcs.

    ``in_log``: their probabilities are summed, else the best one counts. (0, 0) for an FST without states.
    """
    if not fst.num_states:
        return 0.0, 0.0
    best = fst.finals.astype(np.float64)
    sources, costs = fst.sources, fst.arcs["weight"].astype(np.float64)
    np.minimum.at(best, sources, costs)
    if in_log:
        scale = np.where(np.isfinite(best), best, 0.0)  # so that no sum is too small for a float
        sums = np.exp(scale - fst.finals) + np.bincount(sources, np.exp(scale[sources] - costs), fst.num_states)
        with np.errstate(divide="ignore"):
            best = scale - np.log(sums)
    return float(best.min()), float(best.max())
