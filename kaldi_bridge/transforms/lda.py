"""Linear discriminant analysis (transform/lda-estimate.cc): directions in which classes differ most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.transforms.lda_statistics import LdaStatistics
from kaldi_bridge.transforms.singular_values import singular_values


@dataclass
class LdaOptions:
    """Kaldi's LdaEstimateOptions."""

    remove_offset: bool = option(False, "Output an affine transform that makes the projected data's mean zero.")
    dim: int = option(40, "Dimension to project to with LDA")
    allow_large_dim: bool = option(False, "Allow an LDA dimension larger than the number of classes.")
    within_class_factor: float = option(
        1.0, "If 1.0, conventional LDA; less gives less variance where classes do not differ"
    )


def estimate(statistics: LdaStatistics, options: LdaOptions) -> tuple[np.ndarray, np.ndarray]:
    """float32 [dim, input dim], and the same with all rows; one column more with ``remove_offset``.

    Within classes the covariance becomes the unit matrix, between them diagonal, the largest element first. Signs of
    the rows are arbitrary; they are Kaldi's. Raises KaldiError when ``dim`` is too large, or the statistics are
    singular.
    """
    classes, size = statistics.sums.shape
    if not 0 < options.dim <= size:
        raise KaldiError(f"--dim={options.dim} must be positive and at most the statistics' dimension {size}")
    if options.dim >= classes and not options.allow_large_dim:
        raise KaldiError(
            f"--dim={options.dim} must be smaller than the number of classes, {classes}, unless --allow-large-dim=true"
        )
    if not statistics.counts.sum() > 0:
        raise KaldiError("the LDA statistics are of no frames")
    mean, _, _ = statistics.covariances()
    full, variances = directions(statistics)
    log.info(f"LDA singular values are [ {' '.join(f'{v:g}' for v in variances)} ]")
    log.info(f"Sum of all singular values is {variances.sum():g}")
    log.info(f"Sum of selected singular values is {variances[: options.dim].sum():g}")
    if options.within_class_factor != 1.0:
        full = full * np.sqrt((options.within_class_factor + variances) / (1.0 + variances))[:, None]
    if options.remove_offset:
        full = np.hstack([full, -(full @ mean)[:, None]])
    full = full.astype(np.float32)
    return full[: options.dim], full


def directions(statistics: LdaStatistics) -> tuple[np.ndarray, np.ndarray]:
    """float64 [dim, dim], a direction in each row, and the variance [dim] between classes along it, largest first.

    Within classes the variance along each is 1. Raises KaldiError when the statistics are singular.
    """
    _, total, between = statistics.covariances()
    log.info(f"Data count is {statistics.counts.sum():g}")
    whitening = np.linalg.inv(cholesky(total - between))
    turned, variances, _ = singular_values(whitening @ between @ whitening.T)
    return turned.T @ whitening, variances


def cholesky(within: np.ndarray) -> np.ndarray:
    """The factor [dim, dim] of a within-class covariance, made larger where it is not positive definite.

    Raises KaldiError when that does not help.
    """
    try:
        return np.linalg.cholesky(within)
    except np.linalg.LinAlgError:
        smooth = 1e-3 * np.trace(within) / len(within)
        log.info(f"Cholesky failed (possibly not +ve definite), so adding {smooth:g} to diagonal and trying again.")
        try:
            return np.linalg.cholesky(within + smooth * np.eye(len(within)))
        except np.linalg.LinAlgError:
            raise KaldiError("the within-class covariance is not positive definite: too few frames?") from None
