"""Forward-backward over lattices: how probable each arc is (LatticeForwardBackward, lat/lattice-functions.cc)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.lattice import AnyLattice, CompactLattice, Lattice, sorted_if_needed
from kaldi_bridge.lattices.state_times import state_times


@dataclass
class FramePosteriors:
    """``posteriors``: of each frame, (transition-id, posterior); ``acoustic``: the expected acoustic log-likelihood."""

    posteriors: list[list[tuple[int, float]]]
    log_likelihood: float
    acoustic: float


@dataclass
class ArcPosteriors:
    """Of each arc with a transition-id.

    Attributes:
        times: its frame; ``frames``: how many there are.
        ids: the transition-id.
        posteriors: the probability of paths through it.
        log_likelihood, acoustic: as of FramePosteriors.
    """

    times: np.ndarray
    ids: np.ndarray
    posteriors: np.ndarray
    frames: int
    log_likelihood: float
    acoustic: float


def _of_arcs(lattice: AnyLattice) -> tuple[np.ndarray, np.ndarray, float]:
    """Logarithms of the probabilities of arcs and final costs, and of all paths."""
    costs, finals, graph = lattice.arc_costs, lattice.final_costs, lattice.graph
    forward, backward = graph.log_sums_from_start(costs), graph.log_sums_to_end(costs, finals)
    total = float(backward[lattice.start])
    if not np.isfinite(total):
        raise KaldiError("the lattice has no path to a final state, or none of finite cost")
    arcs = forward[lattice.sources] - costs + backward[lattice.arcs["nextstate"]] - total
    return arcs, forward - finals - total, total


def frame_posteriors(lattice: Lattice) -> FramePosteriors:
    """Raises KaldiError for a lattice with a cycle, without a path, or with paths of different lengths."""
    of_arcs = emission_posteriors(lattice)
    frame_lists = summed_pairs(of_arcs.times, of_arcs.ids, of_arcs.posteriors, of_arcs.frames)
    return FramePosteriors(frame_lists, of_arcs.log_likelihood, of_arcs.acoustic)


def emission_posteriors(lattice: Lattice) -> ArcPosteriors:
    """Raises KaldiError for a lattice with a cycle, without a path, or with paths of different lengths."""
    if lattice.start < 0:
        raise KaldiError("the lattice is empty")
    lattice = sorted_if_needed(lattice)
    times, frames = state_times(lattice)
    if (times[lattice.is_final & (times >= 0)] != frames).any():
        raise KaldiError("the lattice is not consistent: its paths end in different frames")
    arcs, ends, total = _of_arcs(lattice)
    posteriors = np.exp(arcs)
    final = lattice.is_final
    acoustic = -(posteriors * lattice.arcs["acoustic"]).sum() - (np.exp(ends[final]) * lattice.finals[final, 1]).sum()
    ids = lattice.arcs["ilabel"]
    there = (ids != 0) & (times[lattice.sources] >= 0)
    return ArcPosteriors(times[lattice.sources][there], ids[there], posteriors[there], frames, total, float(acoustic))


def summed_pairs(times: np.ndarray, ids: np.ndarray, values: np.ndarray, frames: int) -> list[list[tuple[int, float]]]:
    """Of each frame, the sums over the arcs that have the same transition-id there, unless they are 0."""
    pairs, places = np.unique(np.stack([times, ids], axis=1), axis=0, return_inverse=True)
    sums = np.bincount(places.reshape(-1), weights=values.astype(np.float32), minlength=len(pairs))
    frame_lists: list[list[tuple[int, float]]] = [[] for _ in range(frames)]
    for (frame, transition_id), value in zip(pairs.tolist(), sums.tolist(), strict=True):
        if value != 0.0:
            frame_lists[frame].append((transition_id, value))
    return frame_lists


def arc_posteriors(lattice: CompactLattice) -> tuple[CompactLattice, np.ndarray, np.ndarray]:
    """The lattice in topological order, and of its arcs the posteriors (float32) and first frames.

    Raises KaldiError for a lattice with a cycle, without a path, or with ways of different lengths to a state.
    """
    lattice = sorted_if_needed(lattice)
    if lattice.start < 0:
        return lattice, np.zeros(0, np.float32), np.zeros(0, np.int64)
    arcs, _, _ = _of_arcs(lattice)
    return lattice, np.exp(np.minimum(arcs, 0.0)).astype(np.float32), state_times(lattice)[0][lattice.sources]
