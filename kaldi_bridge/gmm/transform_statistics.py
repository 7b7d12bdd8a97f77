"""Statistics for transforms of features, from the Gaussians that frames belong to."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.gmm.gaussian_posteriors import GaussianPosteriors
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.hmm.posterior import randomly_pruned
from kaldi_bridge.transforms.fmllr import FmllrStatistics
from kaldi_bridge.transforms.mllt import MlltStatistics
from kaldi_bridge.transforms.raw_fmllr import RawFmllrStatistics

_AT_ONCE = 1 << 14  # Gaussians; bounds the memory that long utterances take


def add_to_mllt(
    statistics: MlltStatistics,
    mixtures: Mixtures,
    feats: np.ndarray,
    shares: GaussianPosteriors,
    prune: float,
    random: CRandom,
) -> None:
    """Features [frames, dim] and their Gaussians, posteriors below ``prune`` pruned at random."""
    posteriors = randomly_pruned(shares.posteriors, prune, random)
    kept = np.flatnonzero(posteriors)
    frames = shares.frame_of_each
    for begin in range(0, len(kept), _AT_ONCE):
        part = kept[begin : begin + _AT_ONCE]
        gaussians = shares.gaussians[part]
        inverse = mixtures.inverse_variances[gaussians]
        statistics.accumulate(
            mixtures.scaled_means[gaussians] / inverse - feats[frames[part]], inverse, posteriors[part]
        )


def add_to_fmllr(
    statistics: FmllrStatistics, mixtures: Mixtures, feats: np.ndarray, shares: GaussianPosteriors
) -> None:
    """Features [frames, dim] and their Gaussians. Raises KaldiError when the features have another dimension."""
    linear, quadratic = shares.weighted_sums(mixtures.scaled_means, mixtures.inverse_variances)
    counts = shares.counts
    present = counts != 0
    statistics.add(feats[present], counts[present], linear[present], quadratic[present])


def add_to_raw_fmllr(
    statistics: RawFmllrStatistics, mixtures: Mixtures, spliced: np.ndarray, shares: GaussianPosteriors
) -> None:
    """Spliced features [frames, dim] and the Gaussians that what the model sees of them belongs to."""
    linear, quadratic = shares.weighted_sums(mixtures.scaled_means, mixtures.inverse_variances)
    counts = shares.counts
    present = counts != 0
    statistics.add(spliced[present], counts[present], linear[present], quadratic[present])
