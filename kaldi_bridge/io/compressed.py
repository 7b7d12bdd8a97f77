"""Kaldi's lossy matrix compression (matrix/compressed-matrix.cc); csrc/compressed.cc has what is done to each value.

Formats: CM, one byte per element, column by column, non-uniform steps between each column's quartiles;
CM2, two bytes per element; CM3, one byte per element; both row by row, with uniform steps.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.basic_io import read_raw
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.text import encode

_HEADER = struct.Struct("<ffii")  # minimum, range, rows, columns
_F32 = np.float32

AUTOMATIC, SPEECH_FEATURE, TWO_BYTE_AUTO, TWO_BYTE_SIGNED_INTEGER = 1, 2, 3, 4
ONE_BYTE_AUTO, ONE_BYTE_UNSIGNED_INTEGER, ONE_BYTE_ZERO_ONE = 5, 6, 7
_TOKENS = ("", "", "CM", "CM2", "CM2", "CM3", "CM3", "CM3")  # by method


@dataclass
class CompressedMatrix:
    """A matrix in its compressed form, as a file holds it. ``token``: "CM", "CM2" or "CM3"."""

    token: str
    minimum: np.float32
    range: np.float32
    rows: int
    cols: int
    data: bytes | np.ndarray  # what follows the header

    @classmethod
    def from_fields(
        cls, token: str, minimum: float, value_range: float, rows: int, cols: int, data: bytes
    ) -> CompressedMatrix:
        """From numbers of Python's own types."""
        return cls(token, _F32(minimum), _F32(value_range), rows, cols, data)

    @staticmethod
    def read(stream: InputStream) -> CompressedMatrix:
        """Reads the binary form."""
        head = stream.peek(4)
        token = next((t for t in ("CM", "CM2", "CM3") if head.startswith(encode(t) + b" ")), None)
        if token is None:
            raise KaldiError(f"{stream.where()}: expected a compressed matrix, got {head!r}")
        stream.skip(len(token) + 1)
        minimum, value_range, rows, cols = _HEADER.unpack(stream.read(_HEADER.size))
        if cols == 0:
            rows = 0
        elif rows <= 0 or cols < 0:
            raise KaldiError(f"{stream.where()}: a compressed matrix of size {rows} x {cols}")
        sizes = {"CM": cols * (8 + rows), "CM2": 2 * rows * cols, "CM3": rows * cols}
        data = read_raw(stream, sizes[token], "u1")
        return CompressedMatrix(token, _F32(minimum), _F32(value_range), rows, cols, data)

    def write(self, stream: OutputStream) -> None:
        """Writes the binary form."""
        stream.write(encode(self.token) + b" " + _HEADER.pack(self.minimum, self.range, self.rows, self.cols))
        stream.write(self.data)

    def decompress(self) -> np.ndarray:
        """float32 [rows, columns]."""
        return _csrc.decompress(self.token, self.minimum, self.range, self.rows, self.cols, self.data)

    @property
    def fields(self) -> tuple[str, np.float32, np.float32, int, int, bytes | np.ndarray]:
        """What ``from_fields`` takes."""
        return self.token, self.minimum, self.range, self.rows, self.cols, self.data

    @staticmethod
    def compress(matrix: np.ndarray, method: int = AUTOMATIC) -> CompressedMatrix:
        """Compresses a matrix [rows, columns] by one of Kaldi's methods 1 to 7; NaN becomes the least value.

        Raises KaldiError for infinity.
        """
        if not 1 <= method <= 7:
            raise KaldiError(f"Compression method {method}: must be 1 to 7")
        matrix = np.asarray(matrix, np.float32)
        rows, cols = matrix.shape
        if matrix.size == 0:
            return CompressedMatrix("CM", _F32(0), _F32(0), 0, 0, b"")
        if method == AUTOMATIC:
            method = SPEECH_FEATURE if rows > 8 else TWO_BYTE_AUTO
        matrix = without_nan(matrix)
        minimum, value_range = _limits(matrix, method)
        token = _TOKENS[method]
        data = _csrc.compress(token, minimum, value_range, matrix)
        return CompressedMatrix(token, minimum, value_range, rows, cols, data)


def read_compressed(stream: InputStream) -> np.ndarray:
    """A binary compressed matrix, decompressed: float32 [rows, columns]."""
    return CompressedMatrix.read(stream).decompress()


def without_nan(matrix: np.ndarray) -> np.ndarray:
    """A matrix that is to be compressed, with its least value in place of NaN, which is warned of."""
    if not np.isnan(matrix).any():
        return matrix
    log.warning("Compressing a matrix with NaN, which becomes its least value")
    return np.where(np.isnan(matrix), np.fmin.reduce(matrix, axis=None, initial=np.inf), matrix)


def _limits(matrix: np.ndarray, method: int) -> tuple[np.float32, np.float32]:
    if method == TWO_BYTE_SIGNED_INTEGER:
        return _F32(-32768.0), _F32(65535.0)
    if method == ONE_BYTE_UNSIGNED_INTEGER:
        return _F32(0.0), _F32(255.0)
    if method == ONE_BYTE_ZERO_ONE:
        return _F32(0.0), _F32(1.0)
    try:
        minimum, value_range = _csrc.compression_limits(matrix)
    except ValueError as error:
        raise KaldiError(str(error)) from None
    return _F32(minimum), _F32(value_range)
