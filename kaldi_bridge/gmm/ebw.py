"""Extended Baum-Welch: discriminative updates of mixtures, MMI or MPE (gmm/ebw-diag-gmm.cc).

Statistics of the numerator (what was said) count for, those of the denominator (all that might be said) against. A
Gaussian's old self counts as D more frames: as many as keep its variances positive, twice, and no less than
(tau + E den) / 2, twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.model import Mixtures
from kaldi_bridge.gmm.statistics import FLAGS, Statistics

_MOST_TRIALS = 100
_WEIGHT_UPDATES = 50


@dataclass
class EbwOptions:
    """Of means and variances."""

    E: float = option(2.0, "Constant E for Extended Baum-Welch (EBW) update")
    tau: float = option(
        0.0, "Tau value for smoothing to the model parameters only (to ML statistics: gmm-ismooth-stats)"
    )


@dataclass
class EbwWeightOptions:
    """Of weights."""

    min_num_count_weight_update: float = option(
        10.0, "Minimum count of a state, for its weights to be updated (only if --weight-tau is 0)"
    )
    min_gaussian_weight: float = option(1.0e-05, "Minimum Gaussian weight allowed")
    weight_tau: float = option(0.0, "Tau value for smoothing the update of weights")


@dataclass
class EbwResult:
    """``gain``: of the auxiliary function, over ``count`` frames; ``floored``: Gaussians with a D beyond the least."""

    mixtures: Mixtures
    gain: float
    count: float
    floored: int = 0


def update_gaussians(
    mixtures: Mixtures, numerator: Statistics, denominator: Statistics, options: EbwOptions, flags: int
) -> EbwResult:
    """``flags`` (FLAGS): means, or means and variances. Raises KaldiError for statistics of others, or that lack these.

    The denominator's may be counts alone, the numerator's then the differences.
    """
    _check_sizes(mixtures, numerator, denominator)
    if flags & FLAGS["a"] & ~FLAGS["t"] & ~numerator.flags:
        raise KaldiError("the numerator's statistics lack what is to be updated: see --update-flags of what made them")
    if denominator.flags not in (numerator.flags, FLAGS["w"]):
        raise KaldiError("numerator's and denominator's statistics were made with other --update-flags")
    if not flags & (FLAGS["m"] | FLAGS["v"]):
        return EbwResult(mixtures, 0.0, 0.0)
    if not flags & FLAGS["m"]:
        raise KaldiError("variances can only be updated together with means: --update-flags=mv")
    # Counts, D and the scale are of single precision in Kaldi.
    num, den = numerator.occupancy.astype(np.float32), denominator.occupancy.astype(np.float32)
    used = (num != 0) | (den != 0)
    gaussians = _Gaussians(
        mixtures.means[used],
        mixtures.variances[used],
        (numerator.sums - denominator.sums)[used],
        (numerator.squares - denominator.squares)[used],
        (num - den)[used].astype(np.float64),
        bool(flags & FLAGS["v"]),
    )
    smoothing = (options.tau + options.E * den[used].astype(np.float64)) / 2
    short = smoothing + gaussians.count <= 0
    smoothing[short] = -1.0001 * gaussians.count[short] + 1e-10
    open_ones, floored = np.ones(len(smoothing), bool), np.zeros(len(smoothing), bool)
    for trial in range(_MOST_TRIALS):
        open_ones &= ~gaussians.valid(*gaussians.updated(smoothing))
        if not open_ones.any():
            break
        floored |= open_ones
        smoothing[open_ones] *= 1.1
        if trial == _MOST_TRIALS - 1:
            log.warning(f"{open_ones.sum()} Gaussians do not get positive variances: they stay as they are")
    smoothing *= 2.0
    means, variances = gaussians.updated(smoothing)
    changed = gaussians.valid(means, variances) & ~open_ones
    gain = gaussians.gains(smoothing, means, variances)[changed].sum()
    all_means, all_variances = mixtures.means, mixtures.variances
    places = np.flatnonzero(used)[changed]
    all_means[places], all_variances[places] = means[changed], variances[changed]
    made = Mixtures.of_moments(mixtures.offsets, mixtures.weights, all_means, all_variances)
    return EbwResult(made, float(gain), float(den[used][changed].sum()), int(floored.sum()))


@dataclass
class _Gaussians:
    """``means, variances, sums, squares``: float64 [gaussians, dim]; ``count``: float64 [gaussians]."""

    means: np.ndarray
    variances: np.ndarray
    sums: np.ndarray
    squares: np.ndarray
    count: np.ndarray
    with_variances: bool

    def updated(self, smoothing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and variances where the old ones count as so many frames [gaussians]."""
        factor = smoothing.astype(np.float32).astype(np.float64)[:, None]
        scale = (1.0 / (self.count[:, None] + factor)).astype(np.float32)
        means = (factor * self.means + self.sums) * scale
        if not self.with_variances:
            return means, self.variances
        return means, (factor * (self.means**2 + self.variances) + self.squares) * scale - means**2

    def valid(self, means: np.ndarray, variances: np.ndarray) -> np.ndarray:
        """bool [gaussians]: whether all is finite and positive."""
        finite = np.isfinite(means).all(axis=1) & np.isfinite(variances).all(axis=1)
        positive: np.ndarray = finite & (variances > 0).all(axis=1)
        return positive

    def gains(self, smoothing: np.ndarray, means: np.ndarray, variances: np.ndarray) -> np.ndarray:
        """By how much the auxiliary function grows [gaussians]."""
        with np.errstate(invalid="ignore", divide="ignore"):
            old = np.log(self.variances) + (variances + (means - self.means) ** 2) / self.variances
            difference = old - np.log(variances) - 1.0
        gains: np.ndarray = 0.5 * (self.count + smoothing) * difference.sum(axis=1)
        return gains


def update_weights(
    mixtures: Mixtures, numerator: Statistics, denominator: Statistics, options: EbwWeightOptions
) -> EbwResult:
    """As in section 4.4.1 of D. Povey's thesis. Raises KaldiError for statistics of another model."""
    _check_sizes(mixtures, numerator, denominator)
    starts, pdf = mixtures.offsets[:-1], np.repeat(np.arange(mixtures.num_pdfs), mixtures.sizes)
    old = mixtures.weights.astype(np.float64)
    counts, against = numerator.occupancy, denominator.occupancy
    totals, least = np.add.reduceat(counts + against, starts), options.min_num_count_weight_update
    few = (totals < least) if options.weight_tau == 0 else np.zeros(len(totals), bool)
    for total in totals[few].tolist():
        log.info(f"Not updating weights for this state because total count is {total:g} < {least:g}")
    smoothed = counts + options.weight_tau * old
    of_state = np.add.reduceat(smoothed, starts)
    counted = few | (mixtures.sizes > 1)
    updated = (~few & (mixtures.sizes > 1))[pdf]
    weights, ratio = old.copy(), against / old
    rest = np.maximum.reduceat(ratio, starts)[pdf] - ratio
    for _ in range(_WEIGHT_UPDATES):
        weights = _normalized(smoothed + rest * weights, starts, pdf)
    weights = _normalized(np.maximum(weights, options.min_gaussian_weight), starts, pdf)
    with np.errstate(divide="ignore", invalid="ignore"):
        gains = smoothed * (np.log(weights) - np.log(old)) - ratio * (weights - old)
    made = Mixtures.of_moments(mixtures.offsets, np.where(updated, weights, old), mixtures.means, mixtures.variances)
    return EbwResult(made, float(gains[updated].sum()), float(of_state[counted].sum()))


def _normalized(weights: np.ndarray, starts: np.ndarray, pdf: np.ndarray) -> np.ndarray:
    sums = np.add.reduceat(weights, starts)[pdf]
    return np.divide(weights, sums, out=weights.copy(), where=sums != 0)


def _check_sizes(mixtures: Mixtures, *statistics: Statistics) -> None:
    for part in statistics:
        if not np.array_equal(mixtures.offsets, part.offsets) or mixtures.dim != part.sums.shape[1]:
            raise KaldiError("the statistics are not of this model: other numbers of Gaussians or another dimension")
