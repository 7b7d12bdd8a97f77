"""Kaldi's matrices and vectors, binary and text, as NumPy arrays (matrix/kaldi-matrix.cc and its neighbours)."""

from __future__ import annotations

import functools
import re
import struct
from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.basic_io import read_raw, read_token
from kaldi_bridge.io.compressed import read_compressed
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.text import encode, fields, shown

_MATRIX_HEADER = struct.Struct("<3sbibi")  # "FM ", 4, rows, 4, columns
_NUMERIC = re.compile(rb"[-+0-9.eE\s;infatyINFATY]*")


def read_matrix(stream: InputStream, binary: bool, dtype: Any = np.float32) -> np.ndarray:
    """A matrix [rows, columns] of either precision, or compressed, converted to ``dtype``."""
    if not binary:
        return _read_text_matrix(stream, dtype)
    if stream.end - stream.pos < 13 and stream.fill(13) < 13:
        return _no_matrix(stream)
    buffered: np.ndarray | None = stream.parsed(_csrc.parse_matrix)
    if buffered is not None:
        return buffered.astype(dtype, copy=False)
    token, size, rows, size2, cols = _MATRIX_HEADER.unpack_from(stream.buffer, stream.pos)
    if token[:1] == b"C":
        return read_compressed(stream).astype(dtype, copy=False)
    if token not in (b"FM ", b"DM ") or size != 4 or size2 != 4:
        return _no_matrix(stream)
    if rows < 0 or cols < 0 or (rows == 0) != (cols == 0):
        raise KaldiError(f"{stream.where()}: a matrix of size {rows} x {cols}")
    stream.pos += 13
    array = read_raw(stream, (rows, cols), "<f4" if token == b"FM " else "<f8")
    return array if array.dtype == dtype else _converted(array, dtype)


def write_matrix(stream: OutputStream, binary: bool, matrix: np.ndarray) -> None:
    """Writes a matrix [rows, columns], in double precision when it is float64, else in single."""
    if matrix.ndim != 2:
        raise KaldiError(f"{stream.name}: a matrix has 2 dimensions, this array has {matrix.ndim}")
    rows, cols = matrix.shape if matrix.size else (0, 0)
    if max(rows, cols) >= 1 << 31:
        raise KaldiError(f"{stream.name}: a matrix of size {rows} x {cols} cannot be written")
    if binary:
        kind, array = _storage(matrix)
        stream.write(kind + b"M \4" + struct.pack("<ibi", rows, 4, cols))
        if matrix.size:
            stream.write(array)
    elif matrix.size == 0:
        stream.write(b" [ ]\n")
    else:
        row_format = "\n  " + "%.7g " * cols
        rows_of_text = [row_format % tuple(row) for row in _real(matrix).tolist()]
        stream.write(encode(" [" + "".join(rows_of_text) + "]\n"))


def read_vector(stream: InputStream, binary: bool, dtype: Any = np.float32) -> np.ndarray:
    """A vector [dim] of either precision, converted to ``dtype``."""
    if not binary:
        return _read_text_vector(stream, dtype)
    header = stream.peek(8)
    if len(header) < 8 or header[:4] not in (b"FV \4", b"DV \4"):
        return _no_matrix(stream, "a vector")
    size = int.from_bytes(header[4:8], "little", signed=True)
    if size < 0:
        raise KaldiError(f"{stream.where()}: a vector of size {size}")
    stream.pos += 8
    array = read_raw(stream, size, "<f4" if header[:1] == b"F" else "<f8")
    return array if array.dtype == dtype else _converted(array, dtype)


def write_vector(stream: OutputStream, binary: bool, vector: np.ndarray) -> None:
    """Writes a vector [dim], in double precision when it is float64, else in single."""
    if vector.ndim != 1:
        raise KaldiError(f"{stream.name}: a vector has 1 dimension, this array has {vector.ndim}")
    if binary:
        kind, array = _storage(vector)
        stream.write(kind + b"V \4" + struct.pack("<i", vector.size))
        stream.write(array)
    else:
        stream.write(encode(" [ " + "%.7g " * vector.size % tuple(_real(vector).tolist()) + "]\n"))


def read_packed(stream: InputStream, binary: bool, dtype: Any = np.float32) -> np.ndarray:
    """The lower triangle of a symmetric (SpMatrix) or triangular (TpMatrix) matrix, row by row: [n (n + 1) / 2]."""
    if binary:
        header = stream.peek(8)
        if len(header) < 8 or header[:4] not in (b"FP \4", b"DP \4"):
            return _no_matrix(stream, "a packed matrix")
        size = int.from_bytes(header[4:8], "little", signed=True)
        if size < 0:
            raise KaldiError(f"{stream.where()}: a packed matrix of size {size}")
        stream.pos += 8
        array = read_raw(stream, size * (size + 1) // 2, "<f4" if header[:1] == b"F" else "<f8")
        return _converted(array, dtype)
    array = _numbers(stream, fields(_text_body(stream)), dtype, "matrix")
    packed_size(len(array))
    return array


def write_packed(stream: OutputStream, binary: bool, packed: np.ndarray) -> None:
    """Writes the lower triangle [n (n + 1) / 2] of a symmetric or triangular matrix."""
    size = packed_size(len(packed))
    if binary:
        kind, array = _storage(packed)
        stream.write(kind + b"P \4" + struct.pack("<i", size))
        stream.write(array)
    elif size == 0:
        stream.write(b"[ ]\n")
    else:
        values = [f"{value:.7g} " for value in _real(packed).tolist()]
        rows = ["".join(values[i * (i + 1) // 2 : (i + 1) * (i + 2) // 2]) for i in range(size)]
        stream.write(encode("[\n" + "\n".join(rows) + "]\n"))


def packed_size(length: int) -> int:
    """The n of a packed matrix of n (n + 1) / 2 elements; raises KaldiError when there is none."""
    size = int((2 * length) ** 0.5)
    if size * (size + 1) // 2 != length:
        raise KaldiError(f"{length} numbers do not fill a triangle")
    return size


def unpack_symmetric(packed: np.ndarray) -> np.ndarray:
    """The full symmetric matrix [n, n] of a lower triangle [n (n + 1) / 2]."""
    size = packed_size(len(packed))
    rows, columns = _triangle(size)
    full = np.empty((size, size), packed.dtype)
    full[rows, columns] = full[columns, rows] = packed
    return full


@functools.lru_cache(maxsize=4)
def _triangle(size: int) -> tuple[np.ndarray, np.ndarray]:
    return np.tril_indices(size)


def pack_symmetric(full: np.ndarray) -> np.ndarray:
    """The lower triangle [n (n + 1) / 2] of a symmetric matrix [n, n]."""
    return full[_triangle(len(full))]


def _no_matrix(stream: InputStream, what: str = "a matrix") -> np.ndarray:
    if len(stream.peek(13)) < 8:
        raise KaldiError(f"{stream.where()}: truncated where {what} should be")
    token = read_token(stream, True) if re.match(rb"\S{1,20}\s", stream.peek(21)) else "something else"
    raise KaldiError(f"{stream.where()}: expected {what}, got {token}")


def _converted(array: np.ndarray, dtype: Any) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(dtype, copy=False)


def _storage(array: np.ndarray) -> tuple[bytes, np.ndarray]:
    if array.dtype == np.float64:
        return b"D", np.ascontiguousarray(array, "<f8")
    return b"F", np.ascontiguousarray(_real(array), "<f4")


def _real(array: np.ndarray) -> np.ndarray:
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)


def _text_body(stream: InputStream) -> bytes:
    word = stream.word()
    if word == b"[]":
        return b""
    if word != b"[":
        raise KaldiError(f'{stream.where()}: expected "[", got {shown(word[:20])}')
    body = stream.read_through(b"]")[:-1]
    if stream.peek() == b"\r":
        stream.skip(1)
    if stream.peek() == b"\n":
        stream.skip(1)
    return body


def _numbers(stream: InputStream, words: list[bytes], dtype: Any, what: str) -> np.ndarray:
    try:
        array = np.array(list(map(float, words)), np.float64)
    except ValueError as error:
        raise KaldiError(f"{stream.where()}: {error}") from error
    if np.isinf(array).any():
        log.warning(f"Reading infinite value into {what}.")
    if np.isnan(array).any():
        log.warning(f"Reading NaN value into {what}.")
    return _converted(array, dtype)


def _checked_text(stream: InputStream, body: bytes) -> bytes:
    valid = _NUMERIC.match(body)
    assert valid
    if valid.end() < len(body):
        raise KaldiError(f"{stream.where()}: expected numbers, got {shown(body[valid.end() : valid.end() + 20])}")
    return body


def _read_text_matrix(stream: InputStream, dtype: Any) -> np.ndarray:
    body = _checked_text(stream, _text_body(stream))
    rows = [row for line in body.replace(b";", b"\n").split(b"\n") if (row := fields(line))]
    if not rows:
        return np.zeros((0, 0), dtype)
    cols = len(rows[0])
    for i, row in enumerate(rows):
        if len(row) != cols:
            raise KaldiError(f"{stream.where()}: row {i} of a matrix has {len(row)} columns, row 0 has {cols}")
    return _numbers(stream, [word for row in rows for word in row], dtype, "matrix").reshape(len(rows), cols)


def _read_text_vector(stream: InputStream, dtype: Any) -> np.ndarray:
    body = _checked_text(stream, _text_body(stream))
    if b"\n" in body or b"\r" in body:
        raise KaldiError(f"{stream.where()}: newline inside a vector (maybe it is a matrix?)")
    return _numbers(stream, fields(body), dtype, "vector")
