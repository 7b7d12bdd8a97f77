"""Mixtures of Gaussians with full covariances from their statistics by maximum likelihood (gmm/mle-full-gmm.cc)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom, normal_matrix
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.full_model import FullMixture
from kaldi_bridge.gmm.full_statistics import FullStatistics
from kaldi_bridge.gmm.global_statistics import check_flags

_LOW_OCCUPANCY = 1e-10


@dataclass
class FullEstimationOptions:
    """Kaldi's MleFullGmmOptions."""

    min_gaussian_weight: float = option(1.0e-05, "Min Gaussian weight before we remove it.")
    min_gaussian_occupancy: float = option(100.0, "Minimum count before we remove a Gaussian.")
    variance_floor: float = option(0.001, "Minimum eigenvalue of covariance matrix.")
    max_condition: float = option(1.0e4, "Maximum condition number of covariance matrix (use it to floor).")
    remove_low_count_gaussians: bool = option(True, "If true, remove Gaussians that fall below the floors.")


def estimate_full(
    mixture: FullMixture, statistics: FullStatistics, options: FullEstimationOptions, update: str = "mvw"
) -> FullMixture:
    """The mixture that the statistics fit best; logs how much better it is.

    Gaussians with too few frames are removed, but not all of them. Raises KaldiError when the statistics are of another
    model, or lack what ``update`` needs.
    """
    check_flags(update, statistics.flags)
    if statistics.sums.shape != mixture.scaled_means.shape:
        raise KaldiError("the statistics are not of this model: another number of Gaussians or another dimension")
    occupancy, total = statistics.occupancy, float(statistics.occupancy.sum())
    share = occupancy / total if total > 0 else np.full(len(occupancy), 1.0 / len(occupancy))
    enough = (occupancy > options.min_gaussian_occupancy) & (share > options.min_gaussian_weight)
    weights, means, covariances = mixture.weights.astype(np.float64), mixture.means, mixture.covariances
    centres = statistics.sums[enough] / occupancy[enough, None]
    spread = statistics.products[enough] / occupancy[enough, None, None] - centres[:, :, None] * centres[:, None]
    if "m" not in update:
        offset = means[enough] - centres
        spread += offset[:, :, None] * offset[:, None]
    if "v" in update:
        covariances[enough] = _floored(spread, options)
    if "m" in update:
        means[enough] = centres
    kept = enough.copy()
    kept[-1] |= not enough.any()
    if not options.remove_low_count_gaussians:
        kept[:] = True
    if "w" in update:
        weights[kept] = np.where(enough, share, np.maximum(share, options.min_gaussian_weight))[kept]
    updated = FullMixture.of_moments(weights, means, covariances)
    gain = (_fit(updated, statistics) - _fit(mixture, statistics)) / total if total else float("nan")
    log.info(f"Overall objective function improvement is {gain:g} per frame over {total:g} frames.")
    for gaussian in np.flatnonzero(~enough).tolist():
        verb = "keeping" if kept[gaussian] else "removing"
        data = f"weight {share[gaussian]:f}, occupation count {occupancy[gaussian]:f}, vector size {mixture.dim}"
        log.warning(f"Too little data - {verb} Gaussian {gaussian} ({data})")
    if kept.all():
        return updated
    weights = updated.weights[kept].astype(np.float64)
    return FullMixture(weights / weights.sum(), updated.scaled_means[kept], updated.precisions[kept])


def mixture_of_statistics(
    statistics: FullStatistics, num_gaussians: int, options: FullEstimationOptions
) -> FullMixture:
    """Without a mixture to begin with (fgmm-global-init-from-accs). Raises KaldiError for more than there are."""
    if not 0 < num_gaussians <= len(statistics.occupancy):
        raise KaldiError(f"{num_gaussians} Gaussians asked for, the statistics are of {len(statistics.occupancy)}")
    occupancy = statistics.occupancy[:num_gaussians]
    dim, low = statistics.sums.shape[1], occupancy < _LOW_OCCUPANCY
    safe = np.where(low, 1.0, occupancy)
    means = statistics.sums[:num_gaussians] / safe[:, None]
    covariances = statistics.products[:num_gaussians] / safe[:, None, None] - means[:, :, None] * means[:, None]
    if low.any():
        random = CRandom(1)
        for gaussian in np.flatnonzero(low).tolist():
            means[gaussian], covariances[gaussian] = normal_matrix(1, dim, random)[0], np.eye(dim)
        log.warning(f"{int(low.sum())} out of {len(statistics.occupancy)} Gaussians had very low occupancy.")
    weights = np.where(low, _LOW_OCCUPANCY, occupancy)
    return FullMixture.of_moments(weights / weights.sum(), means, _floored(covariances, options))


def _floored(covariances: np.ndarray, options: FullEstimationOptions) -> np.ndarray:
    """With eigenvalues of at least the floor, and of the largest one over the condition number."""
    if not np.isfinite(covariances).all():
        raise KaldiError("statistics that are not finite")
    values, vectors = np.linalg.eigh(covariances)
    least = np.maximum(options.variance_floor, np.abs(values).max(axis=1, keepdims=True) / options.max_condition)
    low = values < least
    if low.any():
        log.warning(f"{int(low.sum())} variances floored in {int(low.any(axis=1).sum())} Gaussians.")
    floored: np.ndarray = (vectors * np.maximum(values, least)[:, None]) @ vectors.transpose(0, 2, 1)
    return np.where(low.any(axis=1)[:, None, None], floored, covariances)


def _fit(mixture: FullMixture, statistics: FullStatistics) -> float:
    """The expected log-likelihood of the frames (MlObjective)."""
    seen = statistics.occupancy > 0
    fit = statistics.occupancy[seen] @ mixture.constants[seen].astype(np.float64)
    fit += np.vdot(statistics.sums, mixture.scaled_means.astype(np.float64))
    return float(fit - 0.5 * np.vdot(statistics.products, mixture.precisions.astype(np.float64)))


def split_full(mixture: FullMixture, target: int, perturb_factor: float, random: CRandom) -> FullMixture:
    """With ``target`` Gaussians: again and again that of the largest weight becomes two (FullGmm::Split)."""
    count = mixture.num_gaussians
    if target <= count:
        log.warning(f"Cannot split from {count} to {target} components")
        return mixture
    added = target - count
    weights = np.concatenate([mixture.weights, np.full(added, -1.0, np.float32)])
    means = np.concatenate([mixture.scaled_means, np.zeros((added, mixture.dim), np.float32)])
    source = np.concatenate([np.arange(count), np.zeros(added, np.int64)])
    for new in range(count, target):
        largest = int(np.argmax(weights))
        weights[largest] /= 2
        weights[new] = weights[largest]
        source[new] = source[largest]
        factor = np.linalg.cholesky(mixture.precisions[source[largest]].astype(np.float64))
        step = (perturb_factor * (normal_matrix(1, mixture.dim, random)[0] @ factor)).astype(np.float32)
        means[new] = means[largest] + step
        means[largest] -= step
    return FullMixture(weights, means, mixture.precisions[source])
