"""The numerator of LF-MMI: forward-backward over a supervision, in the log domain (chain/chain-numerator.cc)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.supervision import Supervision


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
    """A supervision's acceptor, unrolled in time.

    Sequences that meet in one state are done side by side, all of a minibatch's as a rule; else one after the other.
    """

    def __init__(self, supervision: Supervision) -> None:
        """Raises KaldiError when a path has not one arc for each frame."""
        fst = supervision.fst
        if fst is None:
            raise KaldiError("flat-start (end-to-end) supervision has no numerator graph here yet")
        frames, sequences = supervision.frames_per_sequence, supervision.num_sequences
        source = np.repeat(np.arange(fst.num_states), np.diff(fst.offsets))
        target = fst.arcs["nextstate"].astype(np.int64)
        times = _times(fst.start, fst.num_states, source, target, frames * sequences)
        finals = np.flatnonzero(np.isfinite(fst.finals))
        if fst.arcs["ilabel"].min(initial=1) < 1 or (times[finals] != frames * sequences).any():
            raise KaldiError(f"the supervision has a path that is not {frames * sequences} frames long")
        meeting = np.bincount(times[times >= 0] // frames, times[times >= 0] % frames == 0, sequences + 1)
        apart = bool((meeting[:-1] == 1).all()) and len(finals) == 1
        time = times[source]
        self.num_states = fst.num_states
        self.starts = np.array([fst.start])
        self.ends = finals
        if apart:
            # Where two sequences meet, the first one ends in a state of its own.
            boundary = (times % frames == 0) & (times > 0)
            ends = np.where(boundary, fst.num_states + times // frames - 1, np.arange(fst.num_states))
            target = ends[target]
            self.starts = np.flatnonzero((times % frames == 0) & (times >= 0) & (times < frames * sequences))
            self.ends = fst.num_states + np.arange(sequences)
            self.num_states += sequences
        self.apart = apart
        self.end_log_prob = float(-fst.finals[finals[0]]) if apart else -fst.finals[finals].astype(np.float64)
        order = np.argsort(time % frames if apart else time, kind="stable")
        level = (time % frames if apart else time)[order]
        columns = (source, target, fst.arcs["ilabel"].astype(np.int64) - 1, time // frames, time % frames)
        log_prob = -fst.arcs["weight"].astype(np.float64)
        cuts = np.searchsorted(level, np.arange(1, frames if apart else frames * sequences))
        pieces = [np.split(column[order], cuts) for column in (*columns, log_prob)]
        self.levels = [_Level(*parts) for parts in zip(*pieces, strict=True)]


def numerator(graph: NumeratorGraph, output: Tensor) -> tuple[Tensor, Tensor]:
    """``output``: [frames, sequences, pdfs], unnormalized log-probabilities.

    Returns the log-probability of all sequences together, and its derivative with respect to the output: the
    posteriors of the pdfs [frames, sequences, pdfs]. Computed in double precision, as by Kaldi.
    """
    device, scores = output.device, []
    log_alpha = torch.full((graph.num_states,), -torch.inf, dtype=torch.float64, device=device)
    log_alpha[torch.as_tensor(graph.starts, device=device)] = 0.0
    levels = [
        tuple(torch.as_tensor(c, device=device) for c in (v.source, v.target, v.frame, v.sequence, v.pdf, v.log_prob))
        for v in graph.levels
    ]
    for source, target, frame, sequence, pdf, log_prob in levels:
        scores.append(output[frame, sequence, pdf].double() + log_prob)
        _log_add(log_alpha, target, log_alpha[source] + scores[-1])

    ends = torch.as_tensor(graph.ends, device=device)
    end_log_prob = torch.as_tensor(graph.end_log_prob, dtype=torch.float64, device=device)
    log_beta = torch.full_like(log_alpha, -torch.inf)
    if graph.apart:
        log_beta[ends] = 0.0
        log_prob_of = log_alpha[ends]  # of each sequence
        total = log_prob_of.sum() + end_log_prob
    else:
        log_beta[ends] = end_log_prob
        total = torch.logsumexp(log_alpha[ends] + end_log_prob, 0)
        log_prob_of = total.expand(output.shape[1])

    posteriors = torch.zeros(output.shape, dtype=torch.float64, device=device)
    for (source, target, frame, sequence, pdf, _), score in zip(reversed(levels), reversed(scores), strict=True):
        score = score + log_beta[target]
        occupation = (log_alpha[source] + score - log_prob_of[sequence]).exp()
        posteriors.index_put_((frame, sequence, pdf), occupation, accumulate=True)
        _log_add(log_beta, source, score)
    return total.to(output.dtype), posteriors.to(output.dtype)


def _log_add(log_values: Tensor, index: Tensor, terms: Tensor) -> None:
    """log_values[index] += terms, in the log domain; an index may occur several times."""
    largest = log_values.scatter_reduce(0, index, terms, "amax")
    shift = torch.where(largest.isfinite(), largest, torch.zeros_like(largest))
    total = (log_values - shift).exp().index_add(0, index, (terms - shift[index]).exp())
    log_values.copy_(total.log() + shift)


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
