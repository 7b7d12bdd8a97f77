"""The i-vectors' space, transformed so that their prior holds on training data (IvectorExtractorStats::UpdatePrior).

The transform makes their covariance the unit matrix and their mean a multiple of e_1; a reflection, I - 2 a a' with a
in the plane of that mean and e_1, sees to the latter. Then the other dimensions are turned so that the average
quadratic term of the extractor is diagonal, the most important first. The signs of dimensions are arbitrary.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.matrix_io import unpack_symmetric
from kaldi_bridge.ivectors.model import ExtractorModel
from kaldi_bridge.ivectors.training_statistics import TrainingStatistics

SMALLEST_VARIANCE = 1e-7


def update_prior(
    model: ExtractorModel, statistics: TrainingStatistics, diagonalize: bool
) -> tuple[ExtractorModel, float]:
    """The model for transformed i-vectors, and the objective function's improvement per frame.

    Raises KaldiError when the mean of i-vectors is 0.
    """
    mean = statistics.ivector_sum / statistics.num_ivectors
    covariance = unpack_symmetric(statistics.ivector_scatter) / statistics.num_ivectors - np.outer(mean, mean)
    values, vectors = np.linalg.eigh(covariance)
    log.info(f"Eigenvalues of iVector covariance range from {values.min():g} to {values.max():g}")
    if (values < SMALLEST_VARIANCE).any():
        number = int((values < SMALLEST_VARIANCE).sum())
        log.warning(f"Floored {number} eigenvalues of covar of iVectors.")
    whitening = vectors.T / np.sqrt(np.maximum(values, SMALLEST_VARIANCE))[:, np.newaxis]
    centre = whitening @ mean
    length = float(np.linalg.norm(centre))
    if not length > 0:
        raise KaldiError("the mean of the i-vectors is 0")
    transform = _reflection(centre / length) @ whitening
    if diagonalize and model.dim > 1:
        transform[1:] = _importance_first(model, transform[1:, 1:]) @ transform[1:]
    gain = _improvement(statistics, mean, covariance, model.prior_offset)
    inverse, offset = np.linalg.inv(transform), float((transform @ mean)[0])
    log.info(f"Setting iVector prior offset to {offset:g}")
    weight_projections = model.weight_projections
    if model.has_dependent_weights:
        weight_projections = weight_projections @ inverse
    transformed = replace(
        model,
        weight_projections=weight_projections,
        projections=model.projections @ inverse,
        prior_offset=offset,
    )
    return transformed, gain


def _reflection(direction: np.ndarray) -> np.ndarray:
    """The reflection [dim, dim] that takes a unit vector to e_1."""
    unit = np.eye(len(direction))
    difference = direction - unit[0]
    square = float(difference @ difference)
    return unit - 2.0 / square * np.outer(difference, difference) if square > 0 else unit


def _importance_first(model: ExtractorModel, transform: np.ndarray) -> np.ndarray:
    """The rotation [dim - 1, dim - 1] after ``transform`` that makes the average of M' S^-1 M diagonal."""
    weights = np.full(model.num_gaussians, 1.0 / model.num_gaussians)
    if not model.has_dependent_weights:
        weights = model.weights
    scaled = weights[:, np.newaxis, np.newaxis] * (model.precisions @ model.projections)
    average = np.tensordot(model.projections, scaled, axes=((0, 1), (0, 1)))[1:, 1:]
    inverse = np.linalg.inv(transform)
    values, vectors = np.linalg.eigh(inverse.T @ ((average + average.T) / 2) @ inverse)
    order = np.argsort(-np.abs(values), kind="stable")
    log.info(f"Eigenvalues of Vavg:  [ {' '.join(f'{v:g}' for v in values[order])} ]\n")
    rotation: np.ndarray = vectors[:, order].T
    return rotation


def _improvement(
    statistics: TrainingStatistics, mean: np.ndarray, covariance: np.ndarray, prior_offset: float
) -> float:
    """Per frame, of the i-vectors' log-likelihood by their own mean and covariance over that by the prior."""
    offset = mean.copy()
    offset[0] -= prior_offset
    sign, determinant = np.linalg.slogdet(covariance)
    if not sign > 0:
        raise np.linalg.LinAlgError("the covariance of i-vectors is not positive definite")
    change = 0.5 * (np.trace(covariance) + offset @ offset) - 0.5 * (len(mean) + determinant)
    per_frame = float(change) * statistics.num_ivectors / float(statistics.gamma.sum())
    log.info(f"Overall auxf improvement from prior is {per_frame:g} per frame, or {change:g} per iVector.")
    return per_frame
