"""How far the probabilities out of the states of an FST are from summing to one (fstext/fstext-utils.h)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.fsts.distances import log_sums
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
        best = log_sums(best, fst.finals.astype(np.float64), sources, costs)
    return float(best.min()), float(best.max())
