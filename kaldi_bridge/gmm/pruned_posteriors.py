"""Which Gaussians a frame belongs to: the few likeliest, sparsely (hmm/posterior.cc, VectorToPosteriorEntry)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.tables.posterior import SparsePosterior


def best_posteriors(
    log_likelihoods: np.ndarray, num_gselect: int, min_post: np.ndarray | float
) -> tuple[SparsePosterior, np.ndarray]:
    """Posteriors of log-likelihoods [frames, gaussians], and each frame's log-likelihood over those kept.

    At most ``num_gselect`` of a frame, the best first, and none below ``min_post``, a number in [0, 1) or one for each
    frame; they sum to 1. Raises KaldiError for what is not finite.
    """
    chosen, order, kept, likelihoods = _chosen(log_likelihoods, num_gselect, min_post)
    counts = kept.sum(axis=1)
    return SparsePosterior.from_counts(counts, order[kept], chosen[kept]), likelihoods


def pruned_posteriors(
    log_likelihoods: np.ndarray, num_gselect: int, min_post: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """The same with posteriors as an array, float32 [frames, gaussians]."""
    chosen, order, kept, likelihoods = _chosen(log_likelihoods, num_gselect, min_post)
    posteriors = np.zeros(log_likelihoods.shape, np.float32)
    posteriors[np.nonzero(kept)[0], order[kept]] = chosen[kept]
    return posteriors, likelihoods


def _chosen(
    log_likelihoods: np.ndarray, num_gselect: int, min_post: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Posteriors float32 and Gaussians [frames, selected], which of them are kept, and log-likelihoods [frames]."""
    least = np.broadcast_to(np.asarray(min_post, np.float32), len(log_likelihoods))
    best = log_likelihoods.max(axis=1, keepdims=True)
    if not np.isfinite(best).all():
        raise KaldiError("a likelihood that is infinite or not a number: invalid features?")
    with np.errstate(divide="ignore"):
        cutoffs = best + np.log(least)[:, np.newaxis]
    order, scores = _above(log_likelihoods, cutoffs) if (least > 0).all() else _all(log_likelihoods, num_gselect)
    order, scores = order[:, :num_gselect], scores[:, :num_gselect]
    kept = (scores > cutoffs) | (least == 0)[:, np.newaxis]
    chosen = np.where(kept, np.exp(scores - best), np.float32(0))
    total = chosen.sum(axis=1)
    cutoff = least * total
    for j in range(chosen.shape[1] - 1, 0, -1):  # the smallest ones first
        dropped = kept[:, j] & (chosen[:, j] < cutoff) & ~kept[:, j + 1 :].any(axis=1)
        total = total - np.where(dropped, chosen[:, j], np.float32(0))
        kept[dropped, j] = False
    return (chosen / total[:, np.newaxis]).astype(np.float32), order, kept, best[:, 0] + np.log(total)


def _all(log_likelihoods: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The ``count`` likeliest Gaussians of each frame and their log-likelihoods, the best first."""
    count = min(count, log_likelihoods.shape[1])
    order = np.argpartition(-log_likelihoods, count - 1, axis=1)[:, :count]
    order.sort(axis=1)  # the first of Gaussians that are equally likely comes first
    scores = np.take_along_axis(log_likelihoods, order, axis=1)
    ranks = np.argsort(-scores, axis=1, kind="stable")
    return np.take_along_axis(order, ranks, axis=1), np.take_along_axis(scores, ranks, axis=1)


def _above(log_likelihoods: np.ndarray, cutoffs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of the Gaussians above each frame's cutoff, which are few; -infinity where a frame has fewer."""
    gaussians, frames = np.divmod(np.flatnonzero(log_likelihoods.T > cutoffs.T), len(log_likelihoods))
    found = log_likelihoods[frames, gaussians]
    ranked = np.lexsort((gaussians, -found, frames))
    frames, gaussians, found = frames[ranked], gaussians[ranked], found[ranked]
    counts = np.bincount(frames, minlength=len(log_likelihoods))
    ranks = np.arange(len(frames)) - np.repeat(np.cumsum(counts) - counts, counts)
    order = np.zeros((len(counts), counts.max()), np.int64)
    scores = np.full(order.shape, -np.inf, np.float32)
    order[frames, ranks], scores[frames, ranks] = gaussians, found
    return order, scores
