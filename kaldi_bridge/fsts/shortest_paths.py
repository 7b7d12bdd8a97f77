"""The cheapest paths of an FST (csrc/shortest_paths.h)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import ARC


def shortest_paths(
    fst: Fst, count: int, unique: bool = False, delta: float = 1e-6, most: float = np.inf, states: int = -1
) -> Fst:
    """An FST of the ``count`` cheapest paths, one after the other from its start, with the states of OpenFst's.

    Args:
        unique: of paths with the same labels only the best; epsilons are labels as others are.
        delta: costs that differ by less are the same.
        most: by how much a path may cost more than the best one.
        states: the search ends when it has made so many; -1: when it has all paths.

    Raises:
        KaldiError: there is a cycle of negative cost, or paths are to be unique and input and output labels differ.
    """
    if fst.start < 0:
        return fst.changed()
    try:
        parts = _csrc.shortest_paths(fst.start, fst.finals, fst.offsets, fst.arcs, count, unique, delta, most, states)
    except ValueError as error:
        raise KaldiError(str(error)) from None
    start, finals, offsets, arcs = parts
    return fst.changed(start=start, finals=finals, offsets=offsets, arcs=arcs.astype(ARC, copy=False))
