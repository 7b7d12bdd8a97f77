"""Models that follow their features as these change, and what that means for derivatives (indirect-diff-diag-gmm.cc).

A Gaussian's mean moves as that of its statistics, and its variance is multiplied as theirs, so that what discriminative
training has made of both stays. The derivative of an objective by the sums that maximum likelihood estimates from, and
so by the features, goes through that ("indirect" differential of fMPE).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.gmm.statistics import FLAGS, Statistics
from kaldi_bridge.options import option

MOMENTS = FLAGS["m"] | FLAGS["v"]


@dataclass
class RescalingOptions:
    """Which Gaussians stay as they are."""

    min_variance: float = option(0.001, "Variance floor (absolute variance).")
    min_gaussian_occupancy: float = option(10.0, "Minimum occupancy to update a Gaussian.")


def _check(mixtures: Mixtures, *statistics: Statistics, with_moments: bool = True) -> None:
    for own in statistics:
        if not np.array_equal(own.offsets, mixtures.offsets) or own.sums.shape[1] != mixtures.dim:
            raise KaldiError("statistics of a model of another size")
        if with_moments and own.flags & MOMENTS != MOMENTS:
            raise KaldiError("statistics without those of means and variances")


def statistics_derivative(
    mixtures: Mixtures,
    numerator: Statistics,
    denominator: Statistics,
    likelihood: Statistics,
    options: RescalingOptions,
) -> Statistics:
    """Of the discriminative objective by the sums of maximum likelihood: ``sums`` and ``squares`` hold derivatives.

    Without moments in the denominator's statistics, the numerator's are the differences. Raises KaldiError for
    statistics of other models.
    """
    _check(mixtures, numerator, likelihood)
    _check(mixtures, denominator, with_moments=False)
    made = Statistics(mixtures.offsets, mixtures.dim, 0)
    used = likelihood.occupancy > np.float32(options.min_gaussian_occupancy)
    counts = zip(numerator.occupancy[~used], denominator.occupancy[~used], likelihood.occupancy[~used], strict=True)
    for three in counts:
        log.warning(
            "Skipping Gaussian because very small ML count: (num,den,ml) = "
            + ", ".join(f"{count:g}" for count in three)
        )
    against = 1.0 if denominator.flags & MOMENTS else 0.0
    count = (numerator.occupancy - denominator.occupancy)[used, None]
    sums = (numerator.sums - against * denominator.sums)[used]
    squares = (numerator.squares - against * denominator.squares)[used]
    mean, variance = mixtures.means[used], mixtures.variances[used]
    frames = likelihood.occupancy[used, None]
    own_mean = likelihood.sums[used] / frames
    own_variance = likelihood.squares[used] / frames - own_mean**2
    by_mean = (sums - mean * count) / variance
    by_variance = 0.5 * ((squares - 2 * mean * sums + count * mean**2) / variance**2 - count / variance)
    by_own_variance = np.where(
        variance <= np.float32(options.min_variance) * 1.01, 0.0, by_variance * variance / own_variance
    )
    made.sums[used] = (by_mean - 2 * by_own_variance * own_mean) / frames
    made.squares[used] = by_own_variance / frames
    return made


def rescaled(mixtures: Mixtures, old: Statistics, new: Statistics, options: RescalingOptions) -> Mixtures:
    """The mixtures after their features went from the ``old`` to the ``new`` ones; logs how far they moved.

    Raises KaldiError for statistics of other models.
    """
    _check(mixtures, old, new)
    least = np.float32(options.min_gaussian_occupancy)
    used = (old.occupancy > least) & (new.occupancy > least)
    for before, after in zip(old.occupancy[~used], new.occupancy[~used], strict=True):
        log.warning(f"Gaussian being skipped because it has small count: (old,new) = {before:g}, {after:g}")
    means, variances = mixtures.means, mixtures.variances
    (old_mean, old_variance), (new_mean, new_variance) = (_moments(own, used) for own in (old, new))
    mean, variance = means[used], variances[used]
    moved = mean + new_mean - old_mean
    scaled = np.maximum(np.float32(options.min_variance), variance * new_variance / old_variance)
    divergence = 0.5 * (((moved - mean) ** 2 + scaled - variance) / variance + np.log(variance / scaled))
    frames = new.occupancy[used]
    total = frames.sum()
    average = (divergence.sum(axis=1) @ frames) / total if total else float("nan")
    log.info(f"K-L divergence from old to new model is {average:g} over {total:g} frames.")
    means[used], variances[used] = moved, scaled
    return Mixtures.of_moments(mixtures.offsets, mixtures.weights, means, variances)


def _moments(statistics: Statistics, used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    frames = statistics.occupancy[used, None]
    mean = statistics.sums[used] / frames
    return mean, statistics.squares[used] / frames - mean**2
