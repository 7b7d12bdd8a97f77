"""Which few Gaussians a frame is held to belong to, and how much of it to each: what is selected once, for speed.

A selection, Kaldi's gselect, lists Gaussians for each frame; posteriors of these sum to 1 over the selected ones.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.tables.integer_lists import RaggedIntegers
from kaldi_bridge.tables.posterior import SparsePosterior


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


def by_gaussian(posterior: SparsePosterior) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Each Gaussian that some frame belongs to, with the frames and their weights."""
    order = np.argsort(posterior.indexes, kind="stable")
    frames, weights = posterior.frames[order], posterior.weights[order]
    present, first = np.unique(posterior.indexes[order], return_index=True)
    ends = [*first[1:].tolist(), len(order)]
    for gaussian, begin, end in zip(present.tolist(), first.tolist(), ends, strict=True):
        yield gaussian, frames[begin:end], weights[begin:end]
