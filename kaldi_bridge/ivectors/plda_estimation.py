"""Estimation of a PLDA model by expectation maximization (ivector/plda.cc, PldaEstimator)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.ivectors.plda import Plda, from_covariances, vector_text


@dataclass
class PldaEstimationOptions:
    """Kaldi's PldaEstimationConfig."""

    num_em_iters: int = option(10, "Number of iterations of E-M used for PLDA estimation")


class PldaStatistics:
    """The scatter of i-vectors around the means of their speakers, and these means."""

    def __init__(self) -> None:
        self.num_ivectors = 0
        self.means: list[np.ndarray] = []
        self.counts: list[int] = []
        self.scatter = np.zeros((0, 0))

    @property
    def dim(self) -> int:
        """Of i-vectors, once there are any."""
        return len(self.scatter)

    def add(self, ivectors: np.ndarray) -> None:
        """Adds all i-vectors [count, dim] of a speaker. Raises KaldiError for another dimension than before."""
        values = ivectors.astype(np.float64)
        if not self.means:
            self.scatter = np.zeros((values.shape[1], values.shape[1]))
        if values.shape[1] != self.dim:
            raise KaldiError(f"i-vectors of dimension {values.shape[1]} after some of dimension {self.dim}")
        mean = values.mean(axis=0)
        self.scatter += values.T @ values - len(values) * np.outer(mean, mean)
        self.means.append(mean)
        self.counts.append(len(values))
        self.num_ivectors += len(values)

    def check(self) -> None:
        """Raises KaldiError where no model can be estimated."""
        if self.num_ivectors <= self.dim:
            raise KaldiError(
                "Number of training iVectors is not greater than their dimension, unable to estimate PLDA."
            )
        if len(self.means) == self.num_ivectors:
            raise KaldiError("No speakers with multiple utterances, unable to estimate PLDA.")


def estimate_plda(statistics: PldaStatistics, options: PldaEstimationOptions) -> Plda:
    """Alternates between the speakers' own vectors and the two covariances, which begin as unit matrices.

    A speaker's mean m of n i-vectors is x + y, x of the between-class covariance B, y of W / n, W the one within
    classes. Given m, both have the variance (B^-1 + n W^-1)^-1, and x has the mean w = B (B + W / n)^-1 m.
    Raises KaldiError where the within-class covariance is singular.
    """
    statistics.check()
    mean = np.mean(statistics.means, axis=0)
    counts = np.array(statistics.counts)
    classes = [(int(n), np.array(statistics.means)[counts == n] - mean) for n in np.unique(counts)]
    within = between = np.eye(statistics.dim)
    for iteration in range(options.num_em_iters):
        log.info(f"Plda estimation iteration {iteration} of {options.num_em_iters}")
        within, between = _improved(statistics, classes, within, between)
        log.info(f"Trace of within-class variance is {np.trace(within):g}")
        log.info(f"Trace of between-class variance is {np.trace(between):g}")
    log.info(f"Norm of mean of iVector distribution is {np.linalg.norm(mean):g}")
    plda = from_covariances(mean, within, between)
    log.info(f"Diagonal of between-class variance in normalized space is {vector_text(plda.psi)}")
    return plda


def _improved(
    statistics: PldaStatistics, classes: list[tuple[int, np.ndarray]], within: np.ndarray, between: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Both covariances [dim, dim]; ``classes``: for each n, the centered means [speakers, dim] of n i-vectors."""
    within_sum, between_sum = statistics.scatter.copy(), np.zeros_like(between)
    try:
        within_inverse, between_inverse = np.linalg.inv(within), np.linalg.inv(between)
        for n, means in classes:
            variance = np.linalg.inv(between_inverse + n * within_inverse)
            own = n * means @ within_inverse @ variance
            rest = means - own
            between_sum += len(means) * variance + own.T @ own
            within_sum += n * (len(means) * variance + rest.T @ rest)
    except np.linalg.LinAlgError:
        raise KaldiError("a covariance of the i-vectors is singular") from None
    return within_sum / statistics.num_ivectors, between_sum / len(statistics.means)
