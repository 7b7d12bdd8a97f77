"""Supervisions unrolled in time, for the plain numerator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.fsts.fst import Fst


@dataclass
class _Level:
    """Arcs that are taken at the same time; ``log_prob`` [arcs]."""

    source: np.ndarray
    target: np.ndarray
    pdf: np.ndarray
    sequence: np.ndarray
    frame: np.ndarray
    log_prob: np.ndarray


class NumeratorGraph:
    """A supervision's acceptors, unrolled in time.

    Sequences that share no states but the one where they meet are done side by side, as groups of their own; where
    they meet in several states, all sequences are one group, one after the other.

    Attributes:
        num_states: of the unrolled graph.
        levels: the arcs of successive times.
        starts: start states.
        ends, end_log_prob, end_group: the final states, their final log-probabilities, their groups.
        num_groups: the number of sequences, or 1.
    """

    def __init__(self, supervision: Supervision) -> None:
        """Raises KaldiError when a path of a supervision that is not flat-start has not one arc for each frame."""
        if supervision.fst is None:
            self._unroll(supervision)
        else:
            self._arrange(supervision, supervision.fst)

    def _arrange(self, supervision: Supervision, fst: Fst) -> None:
        """The usual supervision: one acceptor, whose states each belong to a time."""
        frames, sequences = supervision.frames_per_sequence, supervision.num_sequences
        source, target, pdf, log_prob = _arcs(fst)
        times = _times(fst.start, fst.num_states, source, target, frames * sequences)
        finals = np.flatnonzero(np.isfinite(fst.finals))
        if (pdf < 0).any() or (times[finals] != frames * sequences).any():
            raise KaldiError(f"the supervision has a path that is not {frames * sequences} frames long")
        time = times[source]
        boundary = (times >= 0) & (times % frames == 0)
        meeting = np.bincount(times[boundary] // frames, minlength=sequences + 1)
        apart = bool((meeting[:-1] == 1).all())
        self.num_states, self.num_groups = fst.num_states, 1
        self.starts, self.ends = np.array([fst.start]), finals
        self.end_log_prob = -fst.finals[finals].astype(np.float64)
        self.end_group = np.zeros(len(finals), np.int64)
        if apart:
            # Where two sequences meet, the first one ends in a state of its own.
            inner = boundary & (times > 0) & (times < frames * sequences)
            ends = np.where(inner, fst.num_states + times // frames - 1, np.arange(fst.num_states))
            target = ends[target]
            self.num_states, self.num_groups = fst.num_states + sequences - 1, sequences
            self.starts = np.flatnonzero(boundary & (times < frames * sequences))
            self.ends = np.concatenate([fst.num_states + np.arange(sequences - 1), finals])
            self.end_log_prob = np.concatenate([np.zeros(sequences - 1), self.end_log_prob])
            self.end_group = np.concatenate([np.arange(sequences - 1), np.full(len(finals), sequences - 1)])
        position = time % frames if apart else time
        order = np.argsort(position, kind="stable")
        cuts = np.searchsorted(position[order], np.arange(1, frames if apart else frames * sequences))
        columns = (source, target, pdf, time // frames, time % frames, log_prob)
        pieces = [np.split(column[order], cuts) for column in columns]
        self.levels = [_Level(*parts) for parts in zip(*pieces, strict=True)]

    def _unroll(self, supervision: Supervision) -> None:
        """Flat-start supervision: an acceptor with loops for each sequence, a copy of its states for each frame."""
        frames, fsts = supervision.frames_per_sequence, supervision.e2e_fsts
        offsets = np.concatenate([[0], np.cumsum([fst.num_states for fst in fsts])])
        size = int(offsets[-1])
        parts = [_arcs(fst) for fst in fsts]
        source, target = (np.concatenate([p[i] + o for p, o in zip(parts, offsets, strict=False)]) for i in (0, 1))
        pdf, log_prob = (np.concatenate([p[i] for p in parts]) for i in (2, 3))
        if (pdf < 0).any() or any(fst.start < 0 for fst in fsts):
            raise KaldiError("a flat-start supervision has an empty acceptor, or an arc without a pdf")
        sequence = np.repeat(np.arange(len(fsts)), [fst.num_arcs for fst in fsts])
        finals = np.concatenate([fst.finals for fst in fsts])
        ends = np.flatnonzero(np.isfinite(finals))
        self.num_states, self.num_groups = size * (frames + 1), len(fsts)
        self.starts = offsets[:-1] + np.array([fst.start for fst in fsts])
        self.ends = ends + frames * size
        self.end_log_prob = -finals[ends].astype(np.float64)
        self.end_group = np.searchsorted(offsets, ends, side="right") - 1
        self.levels = [
            _Level(source + t * size, target + (t + 1) * size, pdf, sequence, np.full(len(pdf), t), log_prob)
            for t in range(frames)
        ]


def _arcs(fst: Fst) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Source, target, pdf (-1 for an arc without a label), log-probability."""
    pdf = fst.arcs["ilabel"].astype(np.int64) - 1
    return fst.sources, fst.arcs["nextstate"].astype(np.int64), pdf, -fst.arcs["weight"].astype(np.float64)


def _times(start: int, num_states: int, source: np.ndarray, target: np.ndarray, length: int) -> np.ndarray:
    """The time of each state, -1 for those that the start state does not lead to."""
    times = np.full(num_states, -1, np.int64)
    times[start] = 0
    by_source = np.argsort(source, kind="stable")
    first = np.searchsorted(source[by_source], np.arange(num_states + 1))
    front = np.array([start])
    for time in range(1, length + 1):
        arcs = np.concatenate([by_source[first[s] : first[s + 1]] for s in front.tolist()] or [by_source[:0]])
        front = np.unique(target[arcs])
        if (times[front] >= 0).any():
            raise KaldiError("the supervision has two paths of different lengths to the same state")
        times[front] = time
    if (times[source] < 0).any() or (times[source] >= length).any():
        raise KaldiError(f"the supervision has states that no path of {length} frames goes through")
    return times
