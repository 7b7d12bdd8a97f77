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
    np.put_along_axis(posteriors, order, np.where(kept, chosen, np.float32(0)), axis=1)
    return posteriors, likelihoods


def _chosen(
    log_likelihoods: np.ndarray, num_gselect: int, min_post: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Posteriors float32 and Gaussians [frames, selected], which of them are kept, and log-likelihoods [frames]."""
    frames, gaussians = log_likelihoods.shape
    count = min(num_gselect, gaussians)
    least = np.broadcast_to(np.asarray(min_post, np.float32), frames)
    best = log_likelihoods.max(axis=1, keepdims=True)
    if not np.isfinite(best).all():
        raise KaldiError("a likelihood that is infinite or not a number: invalid features?")
    order = np.argpartition(-log_likelihoods, count - 1, axis=1)[:, :count]
    order.sort(axis=1)  # the first of Gaussians that are equally likely comes first
    scores = np.take_along_axis(log_likelihoods, order, axis=1)
    ranks = np.argsort(-scores, axis=1, kind="stable")
    order, scores = np.take_along_axis(order, ranks, axis=1), np.take_along_axis(scores, ranks, axis=1)
    with np.errstate(divide="ignore"):
        kept = (scores > best + np.log(least)[:, np.newaxis]) | (least == 0)[:, np.newaxis]
    chosen = np.where(kept, np.exp(scores - best), np.float32(0))
    total = chosen.sum(axis=1)
    cutoff = least * total
    for j in range(count - 1, 0, -1):  # the smallest ones first
        dropped = kept[:, j] & (chosen[:, j] < cutoff) & ~kept[:, j + 1 :].any(axis=1)
        total = total - np.where(dropped, chosen[:, j], np.float32(0))
        kept[dropped, j] = False
    return (chosen / total[:, np.newaxis]).astype(np.float32), order, kept, best[:, 0] + np.log(total)
