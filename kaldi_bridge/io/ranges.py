"""Ranges of matrices and vectors in script files (util/kaldi-holder.cc): "0:9" (rows), "0:9,3:5" (rows, columns).

Both ends are included; ":" is everything. The last row may lie up to two beyond the end, which is then what is
taken: durations in seconds and numbers of frames never match exactly.
"""

from __future__ import annotations

import re

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError

_TOLERANCE = 3


def _limits(text: str, size: int, tolerance: int, whole: str) -> slice:
    if text == ":":
        first, last = 0, size - 1
    else:
        match = re.fullmatch(r"([+-]?[0-9]{1,10}):([+-]?[0-9]{1,10})", text)
        if not match:
            raise KaldiError(f"Invalid range specifier: {whole}")
        first, last = int(match[1]), int(match[2])
    if not (0 <= first <= last < size + tolerance and first < size):
        raise KaldiError(f"Invalid range specifier: {whole} for a size of {size}")
    if last >= size:
        log.warning(f"Range {first}:{last} goes beyond the size {size}")
    return slice(first, last + 1)


def matrix_range(matrix: np.ndarray, text: str) -> np.ndarray:
    """The part of a matrix [rows, columns]; raises KaldiError for a range that is none or not there."""
    parts = text.split(",")
    if len(parts) > 2:
        raise KaldiError(f"Invalid range specifier for matrix: {text}")
    rows = _limits(parts[0], matrix.shape[0], _TOLERANCE, text)
    columns = _limits(parts[1] if len(parts) == 2 else ":", matrix.shape[1], 0, text)
    return np.ascontiguousarray(matrix[rows, columns])


def vector_range(vector: np.ndarray, text: str) -> np.ndarray:
    """The part of a vector; raises KaldiError for a range that is none or not there."""
    return vector[_limits(text, len(vector), _TOLERANCE, text)].copy()
