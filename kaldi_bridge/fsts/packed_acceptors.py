"""Weighted acceptors in C++ (csrc/packed_acceptors.h): epsilon removal, composition, determinization, minimization.

Epsilon is the label 0; where several paths are one, the best counts. Costs that differ by less than 1e-5 are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import ARC


class PackedAcceptor:
    """An acceptor, which is not changed; ``native``: as functions in C++ take it."""

    def __init__(self, native: Any) -> None:
        self.native = native

    @classmethod
    def of_fst(cls, fst: Fst) -> PackedAcceptor:
        """Raises KaldiError where input and output labels differ."""
        if not np.array_equal(fst.arcs["ilabel"], fst.arcs["olabel"]):
            raise KaldiError("the FST is no acceptor")
        return cls(_csrc.Acceptor.of_fst(fst.start, fst.finals, fst.offsets, fst.arcs))

    def to_fst(self) -> Fst:
        start, finals, offsets, arcs = self.native.to_fst()
        return Fst(start, finals, offsets, arcs.view(ARC))

    @classmethod
    def of_lists(cls, start: int, arcs: list[list[tuple[int, float, int]]], finals: list[float]) -> PackedAcceptor:
        """Of (label, cost, next state) triples and final costs by state."""
        return cls(_csrc.Acceptor.of_lists(start, arcs, finals))

    def to_lists(self) -> tuple[int, list[list[tuple[int, float, int]]], list[float]]:
        return self.native.to_lists()

    @property
    def num_states(self) -> int:
        return self.native.num_states

    def connected(self) -> PackedAcceptor:
        """Only states on a path from the start to an end."""
        return PackedAcceptor(self.native.connected())

    def without_epsilons(self) -> PackedAcceptor:
        """The same paths without label 0; arcs alike are one. Raises KaldiError for endless gains of epsilons."""
        return self._made(self.native.without_epsilons)

    def composed(self, other: PackedAcceptor) -> PackedAcceptor:
        """What both accept, costs added; neither may have epsilons. Without states where they share nothing."""
        return PackedAcceptor(self.native.composed(other.native))

    def determinized(self, most_states: int) -> PackedAcceptor:
        """No state with two arcs of the same label.

        Raises KaldiError when it would have more than ``most_states`` states, as it might in the presence of cycles.
        """
        return self._made(lambda: self.native.determinized(most_states))

    def minimized(self) -> PackedAcceptor:
        """The smallest deterministic acceptor of the same costs, states breadth first; this one must be deterministic.

        Raises KaldiError where there is a cycle.
        """
        return self._made(self.native.minimized)

    def pushed_to_start(self) -> PackedAcceptor:
        """Costs moved towards the start so that every state's best way on costs nothing; the best path costs nothing.

        Raises KaldiError where there is a cycle.
        """
        return self._made(self.native.pushed_to_start)

    def state_times(self, length: int) -> list[int]:
        """The number of arcs from the start to each state.

        Raises KaldiError where it depends on the path, is not ``length`` at the ends, or decreases with the states.
        """
        try:
            return self.native.state_times(length)
        except RuntimeError as error:
            raise KaldiError(str(error)) from None

    def part_in_time(self, times: list[int], first: int, end: int) -> PackedAcceptor:
        """The paths between two times, from a new start state with epsilons to all states of the first one."""
        return PackedAcceptor(self.native.part_in_time(times, first, end))

    @staticmethod
    def _made(make: Callable[[], Any]) -> PackedAcceptor:
        try:
            return PackedAcceptor(make())
        except RuntimeError as error:
            raise KaldiError(str(error)) from None
