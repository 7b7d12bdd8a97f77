"""Sparse matrices, and GeneralMatrix: whichever of full, compressed, sparse a file holds (matrix/sparse-matrix.cc)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.basic_io import expect_token, read_int32, read_raw
from kaldi_bridge.io.compressed import CompressedMatrix
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.matrix_io import read_matrix, write_matrix
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.ranges import matrix_range
from kaldi_bridge.io.text import encode, fields, shown

_PAIR4 = np.dtype([("size", "i1"), ("index", "<i4"), ("size2", "i1"), ("value", "<f4")])
_PAIR8 = np.dtype([("size", "i1"), ("index", "<i4"), ("size2", "i1"), ("value", "<f8")])
_MOST_ROWS = 10_000_000  # Kaldi's own bound
_MOST_ELEMENTS = 1 << 30  # of a sparse matrix made dense


@dataclass
class SparseMatrix:
    """Rows one after the other: row i has the elements ``offsets[i]`` to ``offsets[i + 1]``, indexes ascending.

    Attributes:
        offsets: int64 [rows + 1].
        indexes, values: int32 and float32 [elements].
        dim: number of columns.
    """

    offsets: np.ndarray
    indexes: np.ndarray
    values: np.ndarray
    dim: int

    @classmethod
    def from_rows(cls, rows: Sequence[tuple[np.ndarray, np.ndarray]], dim: int) -> SparseMatrix:
        """From (indexes, values) of each row."""
        offsets = np.cumsum([0, *(len(indexes) for indexes, _ in rows)])
        indexes = np.concatenate([np.zeros(0, np.int32), *(indexes for indexes, _ in rows)]).astype(np.int32)
        values = np.concatenate([np.zeros(0, np.float32), *(values for _, values in rows)]).astype(np.float32)
        return cls(offsets, indexes, values, dim)

    @property
    def fields(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
        """What the constructor takes."""
        return self.offsets, self.indexes, self.values, self.dim

    @property
    def num_rows(self) -> int:
        return len(self.offsets) - 1

    @property
    def rows(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(indexes, values) of each row."""
        bounds = itertools.pairwise(self.offsets.tolist())
        return [(self.indexes[begin:end], self.values[begin:end]) for begin, end in bounds]

    @property
    def row_of_elements(self) -> np.ndarray:
        """int64 [elements], the row that each element is in."""
        return np.repeat(np.arange(self.num_rows), np.diff(self.offsets))

    def take(self, rows: np.ndarray) -> SparseMatrix:
        """These rows, int64 [rows]."""
        all_rows = self.rows
        return SparseMatrix.from_rows([all_rows[i] for i in rows.tolist()], self.dim)

    def to_dense(self) -> np.ndarray:
        """float32 [rows, dim]."""
        if self.num_rows * self.dim > _MOST_ELEMENTS:
            raise KaldiError(f"A sparse matrix of {self.num_rows} x {self.dim} is too large to be made dense")
        dense = np.zeros((self.num_rows, self.dim), np.float32)
        dense[self.row_of_elements, self.indexes] = self.values
        return dense


GeneralMatrix = np.ndarray | CompressedMatrix | SparseMatrix


def to_dense(matrix: GeneralMatrix) -> np.ndarray:
    """Any general matrix as float32 [rows, columns]."""
    if isinstance(matrix, CompressedMatrix):
        return matrix.decompress()
    return matrix.to_dense() if isinstance(matrix, SparseMatrix) else matrix


def read_general_matrix(stream: InputStream, binary: bool) -> GeneralMatrix:
    """Reads whichever kind is there; compressed ones stay compressed, so that they are written back unchanged."""
    if not binary:
        stream.skip_space()
        return _read_text(stream) if stream.peek() == b"r" else read_matrix(stream, False)
    if (buffered := stream.parsed(_csrc.parse_general_matrix)) is not None:
        return matrix_of_parts(buffered)
    kind = stream.peek()
    if kind == b"C":
        return CompressedMatrix.read(stream)
    return _read_binary(stream) if kind == b"S" else read_matrix(stream, True)


def write_general_matrix(stream: OutputStream, binary: bool, matrix: GeneralMatrix) -> None:
    """Writes the matrix as the kind that it is."""
    if isinstance(matrix, SparseMatrix):
        (_write_binary if binary else _write_text)(stream, matrix)
    elif isinstance(matrix, CompressedMatrix) and binary:
        matrix.write(stream)
    else:
        write_matrix(stream, binary, np.asarray(to_dense(matrix), np.float32))


def scaled(matrix: GeneralMatrix, factor: float) -> GeneralMatrix:
    """The matrix times a number, in the form that it had."""
    single = np.float32(factor)
    if isinstance(matrix, CompressedMatrix):
        return replace(matrix, minimum=matrix.minimum * single, range=matrix.range * single)
    if isinstance(matrix, SparseMatrix):
        return replace(matrix, values=matrix.values * single)
    return matrix * single


def general_matrix_rows(matrix: GeneralMatrix, keep: np.ndarray) -> GeneralMatrix:
    """The rows where ``keep`` (bool [rows]) is true; of a compressed matrix decompressed, as by Kaldi."""
    if isinstance(matrix, SparseMatrix):
        return matrix.take(np.flatnonzero(keep))
    return to_dense(matrix)[keep]


def padded_rows(matrix: GeneralMatrix, first: int, count: int) -> GeneralMatrix:
    """``count`` rows from row ``first``; the first or last one for rows that are not there."""
    return matrix_of_parts(_csrc.padded_rows(matrix_parts(matrix), first, count))


def matrix_parts(matrix: GeneralMatrix) -> Any:
    """As functions in C++ take and return it: an array, or the fields of a compressed or a sparse matrix."""
    return matrix if isinstance(matrix, np.ndarray) else matrix.fields


def matrix_of_parts(parts: Any) -> GeneralMatrix:
    """The matrix again."""
    if not isinstance(parts, tuple):
        return parts
    return CompressedMatrix.from_fields(*parts) if len(parts) > 4 else SparseMatrix(*parts)


def general_matrix_range(matrix: GeneralMatrix, text: str) -> np.ndarray:
    """Part of a matrix, in full form."""
    return matrix_range(to_dense(matrix), text)


def _checked(stream: InputStream, indexes: np.ndarray, dim: int) -> None:
    if len(indexes) and (indexes[0] < 0 or indexes[-1] >= dim or (np.diff(indexes) <= 0).any()):
        raise KaldiError(f"{stream.where()}: indexes of a sparse vector of dimension {dim} out of order or range")


def _same_dim(stream: InputStream, dims: set[int]) -> int:
    if len(dims) > 1:
        raise KaldiError(f"{stream.where()}: rows of a sparse matrix have dimensions {sorted(dims)[:4]}")
    return dims.pop() if dims else 0


def _read_binary(stream: InputStream) -> SparseMatrix:
    expect_token(stream, True, "SM")
    num_rows = read_int32(stream, True)
    if not 0 <= num_rows < _MOST_ROWS:
        raise KaldiError(f"{stream.where()}: a sparse matrix of {num_rows} rows")
    rows = []
    dims = set()
    for _ in range(num_rows):
        expect_token(stream, True, "SV")
        dim, count = read_int32(stream, True), read_int32(stream, True)
        if not 0 <= count <= dim:
            raise KaldiError(f"{stream.where()}: a sparse vector of dimension {dim} with {count} elements")
        dims.add(dim)
        layout = _PAIR8 if stream.peek(6)[5:] == b"\10" else _PAIR4
        pairs = read_raw(stream, layout.itemsize * count, "u1").view(layout)
        if (pairs["size"] != 4).any() or (pairs["size2"] != layout["value"].itemsize).any():
            raise KaldiError(f"{stream.where()}: malformed sparse vector")
        indexes = pairs["index"].astype(np.int32)
        _checked(stream, indexes, dim)
        rows.append((indexes, pairs["value"].astype(np.float32)))
    return SparseMatrix.from_rows(rows, _same_dim(stream, dims))


def _write_binary(stream: OutputStream, matrix: SparseMatrix) -> None:
    stream.write(_csrc.pack_sparse(*matrix.fields))


def _read_text(stream: InputStream) -> SparseMatrix:
    num_rows = _labelled(stream, "rows", _MOST_ROWS)
    rows = []
    dims = set()
    for _ in range(num_rows):
        dim = _labelled(stream, "dim", 1 << 31)
        dims.add(dim)
        if stream.word() != b"[":
            raise KaldiError(f"{stream.where()}: expected [ in a sparse matrix")
        words = fields(stream.read_through(b"]")[:-1])
        if not all(re.fullmatch(rb"[0-9]{1,10}", w) for w in words[::2]):
            raise KaldiError(f"{stream.where()}: malformed sparse vector")
        indexes = np.array([int(w) for w in words[::2]], np.int64)
        try:
            values = np.array([float(w) for w in words[1::2]], np.float32)
        except ValueError as error:
            raise KaldiError(f"{stream.where()}: malformed sparse vector: {error}") from error
        if len(indexes) != len(values):
            raise KaldiError(f"{stream.where()}: an index without a value in a sparse vector")
        _checked(stream, indexes, dim)
        rows.append((indexes.astype(np.int32), values))
    return SparseMatrix.from_rows(rows, _same_dim(stream, dims))


def _labelled(stream: InputStream, label: str, most: int) -> int:
    word = stream.word()
    match = re.fullmatch(encode(label) + rb"=([0-9]{1,10})", word)
    if not match or int(match[1]) >= most:
        raise KaldiError(f"{stream.where()}: expected {label}=number, got {shown(word, 20)}")
    return int(match[1])


def _write_text(stream: OutputStream, matrix: SparseMatrix) -> None:
    text = f"rows={matrix.num_rows} "
    for indexes, values in matrix.rows:
        pairs = zip(indexes.tolist(), values.tolist(), strict=True)
        text += f"dim={matrix.dim} [ " + "".join(f"{i} {v:.7g} " for i, v in pairs) + "] "
    stream.write(encode(text + "\n"))
