"""Normalization statistics of all speakers together, Kaldi's global_cmvn.stats."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.basic_io import read_header, write_header
from kaldi_bridge.io.matrix_io import read_matrix, write_matrix
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import DOUBLE_MATRIX


def read_stats(rxfilename: str) -> np.ndarray:
    """[2, dim + 1], of a file with a matrix. Raises KaldiError."""
    with open_input(rxfilename) as stream:
        return read_matrix(stream, read_header(stream), np.float64)


def read_global_stats(source: str) -> np.ndarray:
    """[2, dim + 1], of a file with a matrix, or the sum over the cmvn.scp of a data directory.

    Raises:
        KaldiError: there is none; says in which file.
    """
    if not Path(source).is_dir():
        return read_stats(source)
    with SequentialReader(f"scp:{source}/cmvn.scp", DOUBLE_MATRIX) as reader:
        parts = [matrix for _, matrix in reader]
    if not parts:
        raise KaldiError(f"{source}/cmvn.scp is empty")
    total: np.ndarray = np.sum(parts, axis=0)
    return total


def write_global_stats(path: str, stats: np.ndarray) -> None:
    """``stats``: [2, dim + 1]. Raises KaldiError."""
    with open_output(path) as stream:
        write_header(stream, True)
        write_matrix(stream, True, stats)
