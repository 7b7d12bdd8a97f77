"""Matrices of parameters in eight bits: on file a quarter of what they are in float32.

Row o is s_o q_o, the q_ok integers in -127 .. 127 and s_o the row's scale, by which its greatest number becomes 127.
On file: ``I8 ``, rows and columns as Kaldi writes integers, the scales (float32), the integers row by row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.matrix_io import read_matrix, write_matrix
from kaldi_bridge.io.streams import InputStream, OutputStream

TOKEN = "I8"
GREATEST = 127


@dataclass(frozen=True)
class Int8Matrix:
    """``values``: int8 [rows, columns]; ``scales``: float32 [rows]."""

    values: np.ndarray
    scales: np.ndarray

    @classmethod
    def of(cls, matrix: np.ndarray) -> Int8Matrix:
        """The nearest to a float32 matrix. Of one that was rounded so before, the integers are the same."""
        scales = np.abs(matrix).max(axis=1) / np.float32(GREATEST)
        if not np.isfinite(scales).all():
            raise KaldiError("a matrix with infinities or NaNs cannot be rounded to int8")
        steps = matrix / np.where(scales > 0, scales, np.float32(1))[:, np.newaxis]
        return cls(np.rint(steps).astype(np.int8), scales.astype(np.float32))

    def floats(self) -> np.ndarray:
        """The numbers, float32 [rows, columns]."""
        return self.values * self.scales[:, np.newaxis]

    def write(self, stream: OutputStream) -> None:
        """In binary mode, the only one that there is."""
        basic_io.write_token(stream, True, TOKEN)
        for size in self.values.shape:
            basic_io.write_int32(stream, True, size)
        stream.write(self.scales.astype("<f4").tobytes())
        stream.write(self.values.tobytes())

    @classmethod
    def read(cls, stream: InputStream) -> Int8Matrix:
        """Raises KaldiError for anything else."""
        basic_io.expect_token(stream, True, TOKEN)
        rows, columns = basic_io.read_int32(stream, True), basic_io.read_int32(stream, True)
        if rows <= 0 or columns <= 0:
            raise KaldiError(f"{stream.where()}: a matrix of size {rows} x {columns}")
        scales = basic_io.read_raw(stream, rows, "<f4")
        if not (np.isfinite(scales).all() and (scales >= 0).all()):
            raise KaldiError(f"{stream.where()}: scales of an int8 matrix must be finite, and not negative")
        return cls(basic_io.read_raw(stream, (rows, columns), "i1"), scales)


def read_parameters(stream: InputStream, binary: bool, dtype: type = np.float32) -> np.ndarray:
    """A matrix of Kaldi's, or the numbers of one in eight bits."""
    if binary and stream.peek(2) == b"I8":
        return Int8Matrix.read(stream).floats()
    return read_matrix(stream, binary, dtype=dtype)


def write_parameters(stream: OutputStream, binary: bool, matrix: np.ndarray | Int8Matrix) -> None:
    """As Kaldi does, or, in binary mode, in eight bits."""
    if isinstance(matrix, Int8Matrix):
        matrix.write(stream)
    else:
        write_matrix(stream, binary, np.ascontiguousarray(matrix, dtype=np.float32))
