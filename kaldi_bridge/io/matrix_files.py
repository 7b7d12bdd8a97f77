"""A matrix or vector alone in a file, rather than in a table (ReadKaldiObject, WriteKaldiObject)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.io.basic_io import read_header, write_header
from kaldi_bridge.io.matrix_io import read_matrix, read_vector, write_matrix, write_vector
from kaldi_bridge.io.streams import open_input, open_output


def read_matrix_file(rxfilename: str) -> np.ndarray:
    """float32 [rows, columns]. Raises KaldiError."""
    with open_input(rxfilename) as stream:
        return read_matrix(stream, read_header(stream))


def read_vector_file(rxfilename: str) -> np.ndarray:
    """float32 [size]. Raises KaldiError."""
    with open_input(rxfilename) as stream:
        return read_vector(stream, read_header(stream))


def write_matrix_file(wxfilename: str, binary: bool, matrix: np.ndarray) -> None:
    """Raises KaldiError."""
    with open_output(wxfilename) as stream:
        write_header(stream, binary)
        write_matrix(stream, binary, matrix)


def write_vector_file(wxfilename: str, binary: bool, vector: np.ndarray) -> None:
    """Raises KaldiError."""
    with open_output(wxfilename) as stream:
        write_header(stream, binary)
        write_vector(stream, binary, vector)
