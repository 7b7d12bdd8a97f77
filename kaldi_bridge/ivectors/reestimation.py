"""A better extractor from statistics: the update of expectation maximization (IvectorExtractorStats::Update)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.matrix_io import unpack_symmetric
from kaldi_bridge.ivectors.distribution import unpacked
from kaldi_bridge.ivectors.model import ExtractorModel
from kaldi_bridge.ivectors.prior_update import update_prior
from kaldi_bridge.ivectors.quadratic_problems import maximize_quadratic
from kaldi_bridge.ivectors.training_statistics import TrainingStatistics

_NUMBERS_AT_ONCE = 1 << 22
_FLOOR_OF_THE_FLOOR = 1e-4  # of the largest eigenvalue, where features depend on each other


@dataclass
class ReestimationOptions:
    """Kaldi's IvectorExtractorEstimationOptions."""

    variance_floor_factor: float = option(
        0.1, "Variances are floored to this times the average covariance of all Gaussians", type="double"
    )
    gaussian_min_count: float = option(
        100.0, "Frames below which a Gaussian's parameters are not updated", type="double"
    )
    diagonalize: bool = option(
        True, "Make the average quadratic term diagonal: the i-vector's dimensions are ordered by importance"
    )


def reestimate(model: ExtractorModel, statistics: TrainingStatistics, options: ReestimationOptions) -> ExtractorModel:
    """Logs by how much each part of the objective function grew.

    Raises KaldiError when the statistics are of a model of another size, of too few frames, or singular.
    """
    expected = model.num_gaussians, model.feature_dim, model.dim
    if statistics.y.shape != expected or (statistics.q.size > 0) != model.has_dependent_weights:
        raise KaldiError(
            f"statistics of (Gaussians, feature dimension, i-vector dimension) {statistics.y.shape}, the extractor has "
            f"{expected}, or only one of them has weights that depend on the i-vector"
        )
    if not 0 < options.variance_floor_factor <= 1:
        raise KaldiError(f"--variance-floor-factor={options.variance_floor_factor:g} must be above 0 and at most 1")
    count = float(statistics.gamma.sum())
    if not statistics.num_ivectors > 0 or not count > 0:
        raise KaldiError("the statistics are of no utterances")
    if statistics.objective:
        log.info(
            f"Overall auxf/frame on training data was {statistics.objective / count:g} per frame over {count:g} frames."
        )
    try:
        gain = 0.0
        model, part = _update_projections(model, statistics, options)
        gain += part
        if model.has_dependent_weights:
            model, part = _update_weights(model, statistics)
            gain += part
        if len(statistics.s):
            model, part = _update_variances(model, statistics, options)
            gain += part
        model, part = update_prior(model, statistics, options.diagonalize)
    except np.linalg.LinAlgError as error:
        raise KaldiError(f"the statistics are singular, too few utterances or frames perhaps: {error}") from error
    log.info(f"Overall objective-function improvement per frame was {gain + part:g}")
    return model


def _update_projections(
    model: ExtractorModel, statistics: TrainingStatistics, options: ReestimationOptions
) -> tuple[ExtractorModel, float]:
    for gaussian in np.flatnonzero(statistics.gamma < options.gaussian_min_count).tolist():
        count = statistics.gamma[gaussian]
        log.warning(f"Skipping Gaussian index {gaussian} because count {count:g} is below min-count.")
    enough = np.flatnonzero(statistics.gamma >= options.gaussian_min_count)
    projections, gain = model.projections.copy(), 0.0
    step = max(1, _NUMBERS_AT_ONCE // model.dim**2)
    for part in np.split(enough, range(step, len(enough), step)):
        if len(part):
            parts = unpacked(statistics.r[part]), statistics.y[part], model.precisions[part], model.projections[part]
            projections[part], gains = maximize_quadratic(*parts)
            gain += float(gains.sum())
    count = float(statistics.gamma.sum())
    log.info(
        f"Overall objective function improvement for M (mean projections) was {gain / count:g} per frame over "
        f"{count:g} frames."
    )
    return replace(model, projections=projections), gain / count


def _update_weights(model: ExtractorModel, statistics: TrainingStatistics) -> tuple[ExtractorModel, float]:
    projections, gain = model.weight_projections.copy(), 0.0
    step, one = max(1, _NUMBERS_AT_ONCE // model.dim**2), np.ones((1, 1, 1))
    for begin in range(0, len(projections), step):
        part = slice(begin, begin + step)
        rows = projections[part, np.newaxis]
        found, gains = maximize_quadratic(unpacked(statistics.q[part]), statistics.g[part, np.newaxis], one, rows)
        projections[part] = found[:, 0]
        gain += float(gains.sum())
    count = float(statistics.gamma.sum())
    log.info(f"Overall auxf impr/frame from weight update is {gain / count:g} over {count:g} frames.")
    return replace(model, weight_projections=projections), gain / count


def _update_variances(
    model: ExtractorModel, statistics: TrainingStatistics, options: ReestimationOptions
) -> tuple[ExtractorModel, float]:
    enough = np.flatnonzero(statistics.gamma >= options.gaussian_min_count)
    if not len(enough):
        raise KaldiError(f"no Gaussian has --gaussian-min-count={options.gaussian_min_count:g} frames")
    raw = np.zeros((len(enough), model.feature_dim, model.feature_dim))
    for i, gaussian in enumerate(enough.tolist()):
        projection = model.projections[gaussian]
        cross = statistics.y[gaussian] @ projection.T
        scatter = projection @ unpack_symmetric(statistics.r[gaussian]) @ projection.T
        raw[i] = statistics.s[gaussian] - (cross + cross.T) + scatter
    gamma = statistics.gamma[enough]
    floor = options.variance_floor_factor * raw.sum(axis=0) / gamma.sum()
    raw /= gamma[:, np.newaxis, np.newaxis]
    values, vectors = np.linalg.eigh(floor)
    least = np.abs(values).max() * _FLOOR_OF_THE_FLOOR
    if (values < least).any():
        log.warning(
            f"Floored {int((values < least).sum())} eigenvalues of the variance floor matrix.  This is not expected.  "
            "Maybe your feature data is linearly dependent."
        )
        floor = (vectors * np.maximum(values, least)) @ vectors.T
    floored, numbers = with_floor(raw, floor)
    for gaussian, number in zip(enough.tolist(), numbers.tolist(), strict=True):
        if number:
            log.info(f"For Gaussian index {gaussian}, floored {number} eigenvalues of variance.")
    percent = int(numbers.sum()) * 100.0 / (model.num_gaussians * model.feature_dim)
    log.info(f"Floored {percent:g}% of all Gaussian eigenvalues")
    inverse = np.linalg.inv(floored)
    inverse = (inverse + inverse.transpose(0, 2, 1)) / 2
    precisions = model.precisions.copy()
    gains = _variance_fit(raw, inverse) - _variance_fit(raw, precisions[enough])
    precisions[enough] = inverse
    count = float(statistics.gamma.sum())
    gain = float(gamma @ gains) / count
    log.info(f"Overall objf impr/frame for variances was {gain:g} over {count:g} frames.")
    return replace(model, precisions=precisions), gain


def _variance_fit(covariances: np.ndarray, precisions: np.ndarray) -> np.ndarray:
    """Log-likelihood per frame, but for a constant, of frames with these covariances [n]."""
    fit: np.ndarray = -0.5 * (np.einsum("nij,nij->n", covariances, precisions) - np.linalg.slogdet(precisions)[1])
    return fit


def with_floor(matrices: np.ndarray, floor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric matrices [n, dim, dim] made at least ``floor`` in all directions, and in how many each was less [n]."""
    factor = np.linalg.cholesky(floor)
    inverse = np.linalg.inv(factor)
    values, vectors = np.linalg.eigh(inverse @ matrices @ inverse.T)
    vectors = factor @ vectors
    floored = (vectors * np.maximum(values, 1.0)[:, np.newaxis]) @ vectors.transpose(0, 2, 1)
    return floored, (values < 1.0).sum(axis=1)


def explained_variance(model: ExtractorModel, gamma: np.ndarray) -> float:
    """Which part of the variance within Gaussians i-vectors explain (IvectorVarianceDiagnostic).

    Kaldi takes eigenvalues of the precisions to be at least 1, which makes it a lower bound for small features.
    """
    shares = gamma / gamma.sum()
    within = float(shares @ (1.0 / np.maximum(np.linalg.eigvalsh(model.precisions), 1.0)).sum(axis=1))
    between = float(shares @ (model.projections**2).sum(axis=(1, 2)))
    return between / (between + within)
