"""Linear and affine transforms of features [frames, dim] (featbin/transform-feats.cc)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError


def transform(feats: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Features [frames, dim] times ``matrix`` [rows, dim], or [rows, dim + 1] with an offset last: [frames, rows].

    Raises KaldiError when the matrix has another number of columns.
    """
    rows, columns = matrix.shape
    dim = feats.shape[1]
    if columns == dim:
        return feats @ matrix.T
    if columns == dim + 1:
        return feats @ matrix[:, :dim].T + matrix[:, dim]
    raise KaldiError(f"transform matrix has bad dimension {rows}x{columns} versus feat dim {dim}")


def log_determinant(matrix: np.ndarray) -> float:
    """Of a square matrix; of one with fewer rows half that of M M', which serves to compare transforms."""
    matrix = matrix.astype(np.float64)
    return 0.5 * float(np.linalg.slogdet(matrix @ matrix.T)[1])
