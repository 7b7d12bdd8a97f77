"""When a lattice's states are reached, and how many arcs cross each frame (lat/lattice-functions.cc)."""

from __future__ import annotations

from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.lattice import AnyLattice, CompactLattice, Lattice, connected, filtered, sorted_if_needed


def _lengths(lattice: AnyLattice) -> tuple[np.ndarray, np.ndarray]:
    """Of arcs and of final costs, in frames."""
    if isinstance(lattice, Lattice):
        return (lattice.arcs["ilabel"] != 0).astype(np.int64), np.zeros(lattice.num_states, np.int64)
    return lattice.string_lengths[: lattice.num_arcs], lattice.string_lengths[lattice.num_arcs :]


def state_times(lattice: AnyLattice) -> tuple[np.ndarray, int]:
    """int64 [states], frames from the start (-1: out of reach); and the length of the utterance.

    The states must be in topological order. Raises KaldiError where ways to a state are of different lengths.
    """
    arcs, ends = _lengths(lattice)
    try:
        times: np.ndarray = lattice.graph.lengths_from_start(arcs)
    except ValueError as error:
        raise KaldiError(f"the lattice is not consistent: {error}") from None
    lengths = (times + ends)[lattice.is_final & (times >= 0)]
    if not len(lengths):
        log.warning("Utterance does not have a final-state.")
        return times, 0
    if (lengths != lengths[0]).any():
        log.warning("Utterance does not seem to have a consistent length.")
    return times, int(lengths.max())


def depth_per_frame(lattice: CompactLattice) -> np.ndarray:
    """int32 [frames], the number of arcs that cross each frame. The states must be in topological order.

    There are no frames where there is no final state.
    """
    if lattice.start < 0:
        return np.zeros(0, np.int32)
    times, frames = state_times(lattice)
    if not frames:
        return np.zeros(0, np.int32)
    arcs, ends = _lengths(lattice)
    starts = np.concatenate([times[lattice.sources], times])
    stops = starts + np.concatenate([arcs, ends])
    reached = starts >= 0
    if stops[reached].max(initial=0) > frames:
        raise KaldiError("the lattice is not consistent: an arc goes beyond the end of the utterance")
    changes = np.zeros(frames + 1, np.int64)
    np.add.at(changes, starts[reached], 1)
    np.add.at(changes, stops[reached], -1)
    return np.cumsum(changes)[:frames].astype(np.int32)


def depth(lattice: CompactLattice) -> tuple[np.float32, int]:
    """The mean of ``depth_per_frame``, 1 for an empty lattice, and the number of frames."""
    if lattice.start < 0:
        return np.float32(1.0), 0
    _, frames = state_times(lattice)
    return np.float32(lattice.string_offsets[-1]) / np.float32(frames), frames


def with_limited_depth(lattice: CompactLattice, most: int) -> CompactLattice:
    """Without arcs that in some frame are not among the ``most`` on the best paths (CompactLatticeLimitDepth)."""
    if lattice.start < 0:
        log.warning("Limiting depth of empty lattice.")
        return lattice
    lattice = sorted_if_needed(lattice)
    times, frames = state_times(lattice)
    costs = lattice.arc_costs
    graph: Any = lattice.graph
    through = (
        graph.costs_from_start(costs)[lattice.sources]
        + costs
        + graph.costs_to_end(costs, lattice.final_costs)[lattice.arcs["nextstate"]]
    )
    starts = times[lattice.sources]
    stops = starts + _lengths(lattice)[0]
    kept = np.ones(lattice.num_arcs, bool)
    best_first = np.lexsort((np.arange(lattice.num_arcs)[::-1], -lattice.sources, through))
    for frame in np.flatnonzero(depth_per_frame(lattice) > most):
        crossing = best_first[((starts <= frame) & (frame < stops))[best_first]]
        kept[crossing[most:]] = False
    return sorted_if_needed(connected(filtered(lattice, kept, np.ones(lattice.num_states, bool))))
