"""Which Gaussians a frame belongs to: the few likeliest, sparsely (hmm/posterior.cc, VectorToPosteriorEntry)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.tables.posterior import SparsePosterior


def best_posteriors(
    log_likelihoods: np.ndarray, num_gselect: int, min_post: np.ndarray | float
) -> tuple[SparsePosterior, np.ndarray]:
    """Posteriors of log-likelihoods [frames, gaussians], and each frame's log-likelihood over those kept.

    At most ``num_gselect`` of a frame, the best first, and none below ``min_post``, a number in [0, 1) or one for each
    frame; they sum to 1. Raises KaldiError for what is not finite.
    """
    counts, gaussians, posteriors, likelihoods = _pruned(log_likelihoods, num_gselect, min_post)
    return SparsePosterior.from_counts(counts, gaussians, posteriors), likelihoods


def pruned_posteriors(
    log_likelihoods: np.ndarray, num_gselect: int, min_post: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """The same with posteriors as an array, float32 [frames, gaussians]."""
    counts, gaussians, found, likelihoods = _pruned(log_likelihoods, num_gselect, min_post)
    posteriors = np.zeros(log_likelihoods.shape, np.float32)
    posteriors[np.repeat(np.arange(len(counts)), counts), gaussians] = found
    return posteriors, likelihoods


def _pruned(
    log_likelihoods: np.ndarray, num_gselect: int, min_post: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """How many Gaussians of each frame, their numbers, their posteriors, and each frame's log-likelihood."""
    least = np.broadcast_to(np.asarray(min_post, np.float32), len(log_likelihoods))
    try:
        return _csrc.pruned_posteriors(log_likelihoods, num_gselect, least)
    except ValueError as error:
        raise KaldiError(str(error)) from None
