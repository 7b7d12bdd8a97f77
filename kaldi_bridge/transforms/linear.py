"""Linear and affine transforms of features [frames, dim] (featbin/transform-feats.cc)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.basic_io import read_header, write_header
from kaldi_bridge.io.matrix_io import read_matrix, write_matrix
from kaldi_bridge.io.streams import open_input, open_output


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


def read_transform(rxfilename: str) -> np.ndarray:
    """float32 [rows, columns], of a file with a matrix. Raises KaldiError."""
    with open_input(rxfilename) as stream:
        return read_matrix(stream, read_header(stream))


def write_transform(wxfilename: str, matrix: np.ndarray, binary: bool = True) -> None:
    """A matrix of a linear or an affine transform, a file by itself."""
    with open_output(wxfilename) as stream:
        write_header(stream, binary)
        write_matrix(stream, binary, matrix)


def composed(first: np.ndarray, second: np.ndarray, second_is_affine: bool = False) -> np.ndarray:
    """float32: the transform that does ``second``, then ``first`` (transform/transform-common.cc, ComposeTransforms).

    A ``first`` of one column more than ``second`` has rows is affine; the result is, too. Raises KaldiError for others.
    """
    if not first.size or not second.size:
        raise KaldiError("a transform is empty")
    rows, columns = second.shape
    if first.shape[1] not in (rows, rows + 1):
        raise KaldiError(f"mismatched dimensions: A has {first.shape[1]} columns and B has {rows} rows")
    if first.shape[1] == rows + 1:
        extended = np.zeros((rows + 1, columns if second_is_affine else columns + 1), second.dtype)
        extended[:rows, :columns] = second
        extended[rows, -1] = 1.0
        second = extended
    return (first @ second).astype(np.float32, copy=False)


def extended(matrix: np.ndarray, dim: int) -> np.ndarray:
    """A transform [d, d], or affine [d, d + 1], as one of ``dim`` dimensions, of which the new ones stay as they are.

    Raises KaldiError for another shape, or fewer dimensions (featbin/extend-transform-dim.cc).
    """
    rows, columns = matrix.shape
    if dim < rows:
        raise KaldiError(f"--new-dimension argument invalid or not specified: {dim} < {rows}")
    if columns not in (rows, rows + 1):
        raise KaldiError(f"Input matrix has unexpected dimension {rows} x {columns}")
    large = np.eye(dim, dim + columns - rows, dtype=np.float32)
    large[:rows, :rows] = matrix[:, :rows]
    if columns > rows:
        large[:rows, -1] = matrix[:, -1]
    return large


def log_determinant(matrix: np.ndarray) -> float:
    """Of a square matrix; of one with fewer rows half that of M M', which serves to compare transforms."""
    matrix = matrix.astype(np.float64)
    return 0.5 * float(np.linalg.slogdet(matrix @ matrix.T)[1])
