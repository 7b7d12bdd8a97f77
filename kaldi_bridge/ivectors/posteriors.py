"""Which Gaussians a frame belongs to: the few likeliest, sparsely (hmm/posterior.cc, VectorToPosteriorEntry)."""

from __future__ import annotations

import numpy as np


def pruned_posteriors(
    log_likelihoods: np.ndarray, num_gselect: int, min_post: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors float32 [frames, gaussians] of log-likelihoods of that shape, and each frame's log-likelihood.

    At most ``num_gselect`` of a frame are not zero, and none below ``min_post`` [frames] in [0, 1); they sum to 1.
    """
    frames, gaussians = log_likelihoods.shape
    best = log_likelihoods.max(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        threshold = best + np.log(min_post)[:, np.newaxis]
    likely = np.exp(log_likelihoods - best) * (log_likelihoods > threshold)
    count = min(num_gselect, gaussians)
    order = np.argsort(-likely, axis=1, kind="stable")[:, :count]
    chosen = np.take_along_axis(likely, order, axis=1)
    total = chosen.sum(axis=1)
    cutoff = min_post * total
    for j in range(count - 1, 0, -1):  # the smallest ones first
        dropped = (chosen[:, j] < cutoff) & (chosen[:, j + 1 :] == 0).all(axis=1)
        total = total - np.where(dropped, chosen[:, j], 0)
        chosen[dropped, j] = 0
    posteriors = np.zeros((frames, gaussians), np.float32)
    np.put_along_axis(posteriors, order, (chosen / total[:, np.newaxis]).astype(np.float32), axis=1)
    return posteriors, best[:, 0] + np.log(total)
