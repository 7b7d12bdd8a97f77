"""Which few Gaussians a frame is held to belong to, and how much of it to each: what is selected once, for speed.

A selection, Kaldi's gselect, lists Gaussians for each frame; posteriors of these sum to 1 over the selected ones.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.tables.integer_lists import RaggedIntegers
from kaldi_bridge.tables.posterior import SparsePosterior


def all_selected(num_frames: int, num_gaussians: int) -> RaggedIntegers:
    """Each frame may belong to every Gaussian."""
    values = np.tile(np.arange(num_gaussians, dtype=np.int32), num_frames)
    return RaggedIntegers(np.arange(num_frames + 1) * num_gaussians, values)


def check_selection(selection: RaggedIntegers, num_frames: int, num_gaussians: int, utterance: str) -> None:
    """Raises EntryError for another number of frames, KaldiError for a frame without Gaussians or with unknown ones."""
    if len(selection) != num_frames:
        raise EntryError(
            f"gselect information for utterance {utterance} has wrong size {len(selection)} vs. {num_frames}"
        )
    if num_frames and not selection.counts.min() > 0:
        raise KaldiError("a frame for which no Gaussian is selected")
    values = selection.values
    if len(values) and not 0 <= values.min() <= values.max() < num_gaussians:
        raise KaldiError(f"Gaussian {values.max()} is selected, but the model has {num_gaussians}")


def scored_gaussians(selection: RaggedIntegers) -> np.ndarray:
    """int32 [pairs], the Gaussians of a diagonal mixture whose likelihoods stand for those of the selected ones.

    They are the same, but where the last of a frame is as far from its first as if a run of Gaussians were selected:
    Kaldi takes it to be one then, though gmm-gselect sorts by likelihood (DiagGmm::LogLikelihoodsPreselect). Statistics
    are the same as Kaldi's only if they have this, too.
    """
    counts = selection.counts
    first, last = (selection.values[at] for at in (selection.offsets[:-1], selection.offsets[1:] - 1))
    position = np.arange(len(selection.values)) - np.repeat(selection.offsets[:-1], counts)
    is_run = np.repeat(last + 1 - first == counts, counts)
    return np.where(is_run, np.repeat(first, counts) + position, selection.values)


def shares(scores: np.ndarray, selection: RaggedIntegers) -> tuple[SparsePosterior, np.ndarray]:
    """Posteriors, and log-likelihoods float32 [frames], of the log-likelihoods [pairs] of what is selected."""
    starts = selection.offsets[:-1]
    if not len(starts):
        return SparsePosterior(selection.offsets, selection.values, scores), np.zeros(0, np.float32)
    best = np.maximum.reduceat(scores, starts)
    weights = np.exp(scores - np.repeat(best, selection.counts))
    sums = np.add.reduceat(weights, starts)
    weights /= np.repeat(sums, selection.counts)
    return SparsePosterior(selection.offsets, selection.values, weights), best + np.log(sums)


def without_small(posterior: SparsePosterior, least: float) -> SparsePosterior:
    """Without posteriors below ``least``, the others of a frame made to sum to 1; the best of a frame stays."""
    if not least or not len(posterior):
        return posterior.selected(posterior.weights != 0)
    best = np.maximum.reduceat(posterior.weights, posterior.offsets[:-1])
    small = posterior.weights < np.float32(least)
    only = np.repeat(best < np.float32(least), posterior.counts)
    first = np.zeros(len(small), bool)
    first[best_pairs(posterior, best)] = True
    kept = posterior.selected(np.where(only, first, ~small))
    kept.weights /= np.repeat(np.add.reduceat(kept.weights, kept.offsets[:-1]), kept.counts)
    return kept


def best_pairs(posterior: SparsePosterior, best: np.ndarray) -> np.ndarray:
    """int [frames], the first pair of each frame whose weight is ``best`` [frames]."""
    is_best = np.flatnonzero(posterior.weights == np.repeat(best, posterior.counts))
    _, first = np.unique(posterior.frames[is_best], return_index=True)
    pairs: np.ndarray = is_best[first]
    return pairs


def by_gaussian(posterior: SparsePosterior) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Each Gaussian that some frame belongs to, with the frames and their weights."""
    order = np.argsort(posterior.indexes, kind="stable")
    frames, weights = posterior.frames[order], posterior.weights[order]
    present, first = np.unique(posterior.indexes[order], return_index=True)
    ends = [*first[1:].tolist(), len(order)]
    for gaussian, begin, end in zip(present.tolist(), first.tolist(), ends, strict=True):
        yield gaussian, frames[begin:end], weights[begin:end]
