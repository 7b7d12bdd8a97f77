"""Kaldi's lossy matrix compression (matrix/compressed-matrix.cc), written vectorized from the format's definition.

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

    def row_range(self, first: int, count: int) -> CompressedMatrix:
        """``count`` rows from row ``first``, still compressed; the first or last one for rows that are not there."""
        rows = np.clip(np.arange(first, first + count), 0, self.rows - 1)
        data = np.frombuffer(self.data, np.uint8)
        if self.token == "CM":
            if count < 8:  # for so few rows this form is too large
                return CompressedMatrix.compress(self.decompress()[rows])
            head, codes = data[: 8 * self.cols], data[8 * self.cols :].reshape(self.cols, self.rows)
            made = np.concatenate([head, codes[:, rows].reshape(-1)])
        else:
            made = data.reshape(self.rows, -1)[rows].reshape(-1)
        return CompressedMatrix(self.token, self.minimum, self.range, count, self.cols, made.tobytes())

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
        if np.isnan(matrix).any():
            log.warning("Compressing a matrix with NaN, which becomes its least value")
            matrix = np.where(np.isnan(matrix), np.fmin.reduce(matrix, axis=None, initial=np.inf), matrix)
        minimum, value_range = _limits(matrix, method)
        if method == SPEECH_FEATURE:
            percentiles, codes = _encode_columns(minimum, value_range, matrix)
            return CompressedMatrix(
                "CM", minimum, value_range, rows, cols, percentiles.astype("<u2").tobytes() + codes.tobytes()
            )
        two_bytes = method in (TWO_BYTE_AUTO, TWO_BYTE_SIGNED_INTEGER)
        token, dtype, steps = ("CM2", "<u2", 65535) if two_bytes else ("CM3", "u1", 255)
        codes = _uniform_codes(minimum, value_range, matrix, steps).astype(dtype)
        return CompressedMatrix(token, minimum, value_range, rows, cols, codes.tobytes())


def read_compressed(stream: InputStream) -> np.ndarray:
    """A binary compressed matrix, decompressed: float32 [rows, columns]."""
    return CompressedMatrix.read(stream).decompress()


def _limits(matrix: np.ndarray, method: int) -> tuple[np.float32, np.float32]:
    if method == TWO_BYTE_SIGNED_INTEGER:
        return _F32(-32768.0), _F32(65535.0)
    if method == ONE_BYTE_UNSIGNED_INTEGER:
        return _F32(0.0), _F32(255.0)
    if method == ONE_BYTE_ZERO_ONE:
        return _F32(0.0), _F32(1.0)
    low, high = matrix.min(), matrix.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise KaldiError("A matrix with infinite values cannot be compressed")
    if high == low:
        high = _F32(float(low) + (1.0 + abs(float(low))))
    return low, high - low


def _uniform_codes(minimum: np.float32, value_range: np.float32, values: np.ndarray, steps: int) -> np.ndarray:
    fraction = np.clip((values - minimum) / value_range, _F32(0), _F32(1))
    scaled = fraction * _F32(steps)
    return (scaled.astype(np.float64) + 0.499).astype(np.int32)


def _encode_columns(minimum: np.float32, value_range: np.float32, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Percentiles [cols, 4] and codes [cols, rows]."""
    rows = len(matrix)
    values = np.ascontiguousarray(matrix.T)
    p = _percentiles(minimum, value_range, np.sort(values, axis=1))
    p0, p25, p75, p100 = _percentile_values(minimum, value_range, p)
    # 64 steps up to p25, 128 to p75, 63 to p100: what a value passed in each of the three intervals, added up.
    codes = np.zeros((len(values), rows), np.uint8)
    for low, high, steps, is_last in ((p0, p25, 64, False), (p25, p75, 128, False), (p75, p100, 63, True)):
        width = high - low
        with np.errstate(divide="ignore", invalid="ignore"):
            passed = np.clip((values - low) / width * _F32(steps), _F32(0), _F32(steps))
        for column in np.flatnonzero(width == 0):  # neighbours that single precision cannot tell apart
            passed[column] = 0 if is_last else np.where(values[column] >= high[column], steps, 0)
        codes += np.add(passed, 0.5, dtype=np.float64).astype(np.uint8)  # Kaldi adds the half in double precision
    return p, codes


def _percentiles(minimum: np.float32, value_range: np.float32, ordered: np.ndarray) -> np.ndarray:
    """Of each row of ordered values: the least, the quartiles and the greatest as 16-bit codes, strictly ascending."""
    rows = ordered.shape[1]
    quarter = rows // 4
    ranks = [0, quarter, 3 * quarter, rows - 1] if rows >= 5 else [min(i, rows - 1) for i in range(4)]
    q = _uniform_codes(minimum, value_range, ordered[:, ranks], 65535)
    if rows < 5:
        q[:, rows:] = 0  # absent values: one step above their neighbour
    p = np.empty_like(q)
    p[:, 0] = np.minimum(q[:, 0], 65532)
    p[:, 1] = np.minimum(np.maximum(q[:, 1], p[:, 0] + 1), 65533)
    p[:, 2] = np.minimum(np.maximum(q[:, 2], p[:, 1] + 1), 65534)
    p[:, 3] = np.maximum(q[:, 3], p[:, 2] + 1)
    return p


def _percentile_values(minimum: np.float32, value_range: np.float32, p: np.ndarray) -> list[np.ndarray]:
    step = value_range * _F32(1.52590218966964e-05)
    values = minimum + step * p.astype(np.float32)
    return [values[:, i : i + 1] for i in range(4)]
