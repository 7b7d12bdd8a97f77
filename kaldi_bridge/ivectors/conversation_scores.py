"""PLDA scores of all pairs of i-vectors of a recording (ivectorbin/ivector-plda-scoring-dense.cc)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.ivectors.covariances import eigenvalues
from kaldi_bridge.ivectors.plda import Plda, PldaOptions

TOLERANCE = 0.001
"""A proportion of the energy that is 1 up to this (relative to the sum of both) means no projection."""


def conversation_scores(plda: Plda, ivectors: np.ndarray, target_energy: float, options: PldaOptions) -> np.ndarray:
    """float32 [N, N], the score of each of the i-vectors [N, dim] as a speaker (row) against each as a test (column).

    They and the model are first projected by a PCA of this recording. Raises KaldiError for another dimension than
    the model's, or where its covariances do not allow the projection.
    """
    if abs(target_energy - 1.0) > TOLERANCE * (abs(target_energy) + 1.0) and ivectors.shape[1] == plda.dim:
        projection = principal_directions(ivectors, target_energy)
        ivectors, plda = ivectors @ projection.T, plda.projected(projection.astype(np.float64))
    vectors, _ = plda.transformed(ivectors, 1, options)
    return plda.scorer(vectors, 1).all_pairs(vectors)


def principal_directions(ivectors: np.ndarray, target_energy: float) -> np.ndarray:
    """float32 [rows, dim]: one direction more than it takes to exceed this proportion of the variance (at most dim).

    Where N i-vectors have so few directions that one is taken in which they do not differ, it is arbitrary.
    """
    count, dim = ivectors.shape
    values = ivectors.astype(np.float64)
    mean = values.mean(axis=0)
    covariance = values.T @ values / count - np.outer(mean, mean)
    if not np.isfinite(covariance).all():
        raise KaldiError("i-vectors that are infinite or not a number")
    if count > dim:
        energies, directions = eigenvalues(covariance, "the covariance of the i-vectors")
    else:
        directions, energies, _ = np.linalg.svd(covariance)
    energies = energies.astype(np.float32)
    total = energies.sum()
    proportions = np.cumsum(energies) / total
    needed = int((proportions <= np.float32(target_energy)).sum()) + 1 if total > 0 and target_energy >= 0 else 0
    return directions.T[: min(needed + 1, dim)].astype(np.float32)
