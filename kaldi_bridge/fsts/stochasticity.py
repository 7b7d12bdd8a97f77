"""How far the probabilities out of the states of an FST are from summing to one (csrc/stochasticity.h)."""

from __future__ import annotations

from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst


def costs_out(fst: Fst, in_log: bool = True) -> tuple[float, float]:
    """The least and the most cost that all ways out of a state have together: final cost and arcs.

    ``in_log``: their probabilities are summed, in Kaldi's precision and order, else the best one counts. (0, 0) for no
    states.
    """
    return _csrc.costs_out((fst.start, fst.finals, fst.offsets, fst.arcs), in_log)
