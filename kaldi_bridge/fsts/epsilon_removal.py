"""Removing those epsilons of a transducer that can go without the transducer growing (csrc/epsilon_removal.h)."""

from __future__ import annotations

from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import ARC


def remove_epsilons_local(fst: Fst, stochastic_in_log: bool = True, equivalent_in_log: bool = False) -> Fst:
    """Kaldi's fstrmepslocal: equivalent in the tropical semiring, never larger, and connected.

    The sums of the probabilities out of each state stay what they are; with ``stochastic_in_log`` false, their maxima.
    ``equivalent_in_log``: equivalent in the log semiring.
    """
    if fst.start < 0:
        return fst
    start, finals, offsets, arcs = _csrc.remove_epsilons_local(
        fst.start, fst.finals, fst.offsets, fst.arcs, stochastic_in_log, equivalent_in_log
    )
    return fst.changed(start=start, finals=finals, offsets=offsets, arcs=arcs.astype(ARC, copy=False))
