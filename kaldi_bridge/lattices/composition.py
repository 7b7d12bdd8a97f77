"""Composition of lattices with lattices and with FSTs, as OpenFst does it (csrc/composition.h)."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.lattices.lattice import CompactLattice, Lattice, connected, selected

L = TypeVar("L", Lattice, CompactLattice)


class Composer:
    """Composes lattices with one and the same other.

    Args:
        second: with arcs sorted by ``ilabel``, unless the lattices that come are sorted by ``olabel``.
        phi: the label of arcs that are followed, without taking a label, where no other has the one looked for, as an
            n-gram model backs off; -1: there are none. See ``with_finals_behind``.
        rho: the label of arcs that go with all labels for which there is no other arc; -1: there are none.
    """

    def __init__(self, second: Lattice, phi: int = -1, rho: int = -1) -> None:
        kind = _csrc.Fallback.PHI if phi > 0 else _csrc.Fallback.RHO if rho > 0 else _csrc.Fallback.NONE
        try:
            self._composer = _csrc.Composer(second.parts, kind, phi if phi > 0 else rho)
        except ValueError as error:
            raise KaldiError(str(error)) from None

    def compose(self, first: Lattice) -> Lattice:
        """The composition, connected; of no states where no path of one goes with one of the other.

        Raises KaldiError where neither is sorted, a label is ``phi`` or ``rho``, or arcs with ``phi`` lead round.
        """
        try:
            return connected(Lattice(*self._composer.compose(first.parts)))
        except ValueError as error:
            raise KaldiError(str(error)) from None


def is_sorted(lattice: Lattice, side: str) -> bool:
    """Whether each state has its arcs in the order of these labels, "ilabel" or "olabel"."""
    labels, sources = lattice.arcs[side], lattice.sources
    return bool(((labels[1:] >= labels[:-1]) | (sources[1:] != sources[:-1])).all())


def arc_sorted(lattice: L, side: str) -> L:
    """With each state's arcs in the order of these labels, "ilabel" or "olabel", then of the others (ArcSort)."""
    if isinstance(lattice, CompactLattice):
        labels = [np.ascontiguousarray(lattice.arcs["label"])] * 2
    else:
        labels = [
            np.ascontiguousarray(lattice.arcs[name]) for name in (side, "olabel" if side == "ilabel" else "ilabel")
        ]
    order = _csrc.sorted_arcs(lattice.offsets, *labels)
    return selected(lattice, lattice.start, lattice.offsets, order, np.arange(lattice.num_states))


def with_finals_behind(lattice: Lattice, phi: int) -> Lattice:
    """With a final cost for each state from which arcs with the label ``phi`` lead to a final one (PropagateFinal).

    Raises KaldiError for a state that has several such arcs.
    """
    if (lattice.arcs["ilabel"] == 0).any():
        log.warning("PropagateFinal: this may not work as desired since your FST has input epsilons.")
    backoffs = np.flatnonzero(lattice.arcs["ilabel"] == phi)
    sources, targets = lattice.sources[backoffs], lattice.arcs["nextstate"][backoffs]
    waiting = ~lattice.is_final[sources]
    if len(np.unique(sources[waiting])) < np.count_nonzero(waiting):
        raise KaldiError(f"a state has several arcs with the backoff label {phi}")
    costs = np.stack([lattice.arcs["graph"], lattice.arcs["acoustic"]], axis=1)[backoffs]
    finals = lattice.finals.copy()
    while (ready := waiting & np.isfinite(finals[targets]).all(axis=1)).any():
        finals[sources[ready]] = finals[targets[ready]] + costs[ready]
        waiting &= ~ready
    return Lattice(lattice.start, lattice.offsets, lattice.arcs, finals)
