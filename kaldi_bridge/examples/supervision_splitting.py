"""Parts in time of a supervision (chain/chain-supervision.cc, SupervisionSplitter)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.packed_acceptors import PackedAcceptor


class SupervisionSplitter:
    """Cuts the supervision of one utterance, all of whose alternatives it keeps."""

    def __init__(self, supervision: Supervision) -> None:
        """Raises KaldiError for a supervision that is merged or flat-start, or has not one arc for each frame."""
        if supervision.fst is None or supervision.num_sequences != 1:
            raise KaldiError("only the supervision of a single utterance that is not flat-start can be cut")
        self._supervision = supervision
        self._graph = PackedAcceptor.of_fst(supervision.fst)
        self._times = self._graph.state_times(supervision.frames_per_sequence)

    @property
    def targets(self) -> Any:
        """The whole, to be cut in C++ (InputCutter.pack_chain_examples)."""
        supervision = self._supervision
        return _csrc.ChainTargets(supervision.weight, supervision.label_dim, self._graph.native, self._times)

    def graph(self, first: int, count: int) -> PackedAcceptor:
        """``count`` frames from frame ``first``. It begins with epsilons to all states of that time."""
        end = first + count
        if not 0 <= first < end <= self._supervision.frames_per_sequence:
            raise KaldiError(f"the supervision has no frames {first} to {end - 1}")
        return self._graph.part_in_time(self._times, first, end)

    def part(self, first: int, count: int) -> Supervision:
        """The same as a supervision."""
        return replace(self._supervision, frames_per_sequence=count, fst=self.graph(first, count).to_fst())
