"""Decompositions of covariances of i-vectors, with errors for the person at the terminal."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError


def eigenvalues(covariance: np.ndarray, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Of a symmetric matrix [dim, dim] in descending order: [dim], and the eigenvectors as columns [dim, dim].

    Raises KaldiError, about ``what``, where an element is no finite number.
    """
    if not np.isfinite(covariance).all():
        raise KaldiError(
            f"{what} has elements that are infinite or not a number: so had i-vectors, or they were all alike"
        )
    values, vectors = np.linalg.eigh(covariance)
    return values[::-1], vectors[:, ::-1]


def inverse(matrix: np.ndarray, what: str) -> np.ndarray:
    """Raises KaldiError, about ``what``, for a singular matrix."""
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        raise KaldiError(f"{what} is singular") from None
