"""Maxima of quadratic functions whose second-order terms may be all but singular (matrix/sp-matrix.cc)."""

from __future__ import annotations

import numpy as np

MAX_CONDITION = 1e4
SMALLEST_EIGENVALUE = 1e-40
_SMALLEST_DIAGONAL = np.finfo(np.float64).tiny * 1e3


def maximize_quadratic(
    quadratic: np.ndarray, linear: np.ndarray, metric: np.ndarray, start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Maximizes tr(M' P Y) - tr(P M Q M') / 2 over M (SolveQuadraticMatrixProblem); M is about Y Q^-1.

    Args:
        quadratic: Q [n, columns, columns]. linear: Y [n, rows, columns]. metric: P [n, rows, rows].
        start: M to begin with [n, rows, columns]; it stays where Q is 0, and where nothing better is found.

    Returns:
        M, and the improvement of each [n].
    """
    scale = np.sqrt(np.maximum(np.diagonal(quadratic, axis1=1, axis2=2), _SMALLEST_DIAGONAL))[:, np.newaxis]
    scaled = quadratic / (scale * scale.transpose(0, 2, 1))
    values, vectors = np.linalg.eigh(scaled)
    values = np.maximum(values, np.maximum(values.max(axis=1, keepdims=True) / MAX_CONDITION, SMALLEST_EIGENVALUE))
    gradient = linear / scale - (start * scale) @ scaled
    step = (gradient @ vectors / values[:, np.newaxis]) @ vectors.transpose(0, 2, 1)
    moved = start + step / scale

    def objective(m: np.ndarray) -> np.ndarray:
        fit: np.ndarray = np.einsum("nij,nij->n", m, metric @ (linear - 0.5 * m @ quadratic))
        return fit

    gain = objective(moved) - objective(start)
    kept = ~(gain >= 0) | ~quadratic.any(axis=(1, 2))
    return np.where(kept[:, np.newaxis, np.newaxis], start, moved), np.where(kept, 0.0, gain)
