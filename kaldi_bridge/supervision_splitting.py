"""Parts in time of a supervision (chain/chain-supervision.cc, SupervisionSplitter)."""

from __future__ import annotations

import math
from dataclasses import replace

from kaldi_bridge.acceptors import Acceptor, Arc
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.supervision import Supervision


class SupervisionSplitter:
    """Cuts the supervision of one utterance, all of whose alternatives it keeps."""

    def __init__(self, supervision: Supervision) -> None:
        """Raises KaldiError for a supervision that is merged or flat-start, or has not one arc for each frame."""
        if supervision.fst is None or supervision.num_sequences != 1:
            raise KaldiError("only the supervision of a single utterance that is not flat-start can be cut")
        self._supervision = supervision
        self._graph = Acceptor.from_fst(supervision.fst)
        self._times = _state_times(self._graph, supervision.frames_per_sequence)

    def part(self, first: int, count: int) -> Supervision:
        """``count`` frames from frame ``first``. It begins with epsilons to all states of that time."""
        end = first + count
        if not 0 <= first < end <= self._supervision.frames_per_sequence:
            raise KaldiError(f"the supervision has no frames {first} to {end - 1}")
        states = [s for s, time in enumerate(self._times) if first <= time < end]
        number = {state: n for n, state in enumerate(states, 1)}
        final = len(states) + 1
        arcs: list[list[Arc]] = [[(0, 0.0, number[s]) for s in states if self._times[s] == first]]
        for state in states:
            arcs.append([(label, cost, number.get(target, final)) for label, cost, target in self._graph.arcs[state]])
        graph = Acceptor(0, [*arcs, []], [math.inf] * final + [0.0])
        return replace(self._supervision, frames_per_sequence=count, fst=graph.to_fst())


def _state_times(graph: Acceptor, length: int) -> list[int]:
    """The number of arcs from the start to each state; states must be in the order of time."""
    times = [-1] * graph.num_states
    times[graph.start] = 0
    for state, arcs in enumerate(graph.arcs):
        for _, _, target in arcs:
            if times[state] < 0 or target <= state or times[target] not in (-1, times[state] + 1):
                raise KaldiError("the states of a supervision must be in the order of time, each of one time")
            times[target] = times[state] + 1
    if any(time != length for time, final in zip(times, graph.finals, strict=True) if final < math.inf):
        raise KaldiError(f"the supervision has a path that is not {length} frames long")
    return times
