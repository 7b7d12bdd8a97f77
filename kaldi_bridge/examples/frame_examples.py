"""Training examples as in Kaldi's .egs archives (nnet3/nnet-example.cc): inputs and targets with their indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.buffer import ExampleHolder, RawExampleHolder, take_parts
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.basic_io import expect_token, read_int32, read_token, write_int32, write_token
from kaldi_bridge.io.compressed import CompressedMatrix
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.sparse import (
    GeneralMatrix,
    SparseMatrix,
    matrix_of_parts,
    read_general_matrix,
    write_general_matrix,
)

TOKEN = "<Nnet3Eg>"
_MOST_PARTS = 1_000_000
_ESCAPE = 127  # before an index that is written whole
_NEAR = 125  # steps of t smaller than this are one byte
_WHOLE = np.dtype([("mark", "i1"), ("n4", "i1"), ("n", "<i4"), ("t4", "i1"), ("t", "<i4"), ("x4", "i1"), ("x", "<i4")])


@dataclass
class NnetIo:
    """The features of an input node, or the targets of an output node.

    Attributes:
        name: of the node.
        indexes: int32 [rows, 3], (n, t, x) of each row: the sequence, the frame, and a third one that is seldom used.
        features: matrix [rows, dim], which stays compressed or sparse as it was read.
    """

    name: str
    indexes: np.ndarray
    features: GeneralMatrix

    @classmethod
    def from_parts(cls, name: str, indexes: np.ndarray, features: Any) -> NnetIo:
        """From what example_buffer finds: a matrix, or the fields of a compressed or a sparse one."""
        return cls(name, indexes, matrix_of_parts(features))

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> NnetIo:
        expect_token(stream, binary, "<NnetIo>")
        name = read_token(stream, binary)
        indexes = read_indexes(stream, binary)
        features = read_general_matrix(stream, binary)
        expect_token(stream, binary, "</NnetIo>")
        if num_rows(features) != len(indexes):
            raise KaldiError(f"{stream.where()}: {num_rows(features)} rows of {name} have {len(indexes)} indexes")
        return cls(name, indexes, features)

    def write(self, stream: OutputStream, binary: bool) -> None:
        write_token(stream, binary, "<NnetIo>")
        write_token(stream, binary, self.name)
        write_indexes(stream, binary, self.indexes)
        write_general_matrix(stream, binary, self.features)
        write_token(stream, binary, "</NnetIo>")


@dataclass
class NnetExample:
    """Inputs and outputs of a network, for training with targets for each frame."""

    io: list[NnetIo]

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> NnetExample:
        """Raises KaldiError when the stream holds no example."""
        if binary and (parts := take_parts(stream, TOKEN)) is not None:
            return cls([NnetIo.from_parts(*part) for part in parts[0]])
        expect_token(stream, binary, TOKEN)
        expect_token(stream, binary, "<NumIo>")
        io = [NnetIo.read(stream, binary) for _ in range(read_count(stream, binary))]
        expect_token(stream, binary, "</Nnet3Eg>")
        return cls(io)

    def write(self, stream: OutputStream, binary: bool) -> None:
        write_token(stream, binary, TOKEN)
        write_token(stream, binary, "<NumIo>")
        write_int32(stream, binary, len(self.io))
        for part in self.io:
            part.write(stream, binary)
        write_token(stream, binary, "</Nnet3Eg>")


EXAMPLE = ExampleHolder[NnetExample](NnetExample.read, lambda stream, binary, value: value.write(stream, binary))
RAW_EXAMPLE = RawExampleHolder(EXAMPLE, TOKEN)


def num_rows(matrix: GeneralMatrix) -> int:
    """Rows of a matrix of any kind."""
    if isinstance(matrix, CompressedMatrix):
        return matrix.rows
    return matrix.num_rows if isinstance(matrix, SparseMatrix) else len(matrix)


def read_count(stream: InputStream, binary: bool) -> int:
    """How many inputs or outputs follow."""
    count = read_int32(stream, binary)
    if not 0 < count <= _MOST_PARTS:
        raise KaldiError(f"{stream.where()}: an example of {count} inputs or outputs")
    return count


def read_indexes(stream: InputStream, binary: bool) -> np.ndarray:
    """int32 [rows, 3] of (n, t, x) (nnet3/nnet-common.cc, ReadIndexVector)."""
    expect_token(stream, binary, "<I1V>")
    count = read_int32(stream, binary)
    if count < 0 or not stream.holds(count):
        raise KaldiError(f"{stream.where()}: {count} indexes, but the input is not that long")
    if not binary:
        rows = []
        for _ in range(count):
            expect_token(stream, binary, "<I1>")
            rows.append([read_int32(stream, binary) for _ in range(3)])
        return np.array(rows, np.int32).reshape(count, 3)
    indexes = np.zeros((count, 3), np.int32)
    done = 0
    while done < count:
        # Every index is a byte at least: up to the next one written whole they are steps of t.
        ahead = stream.peek(count - done)
        steps = ahead.find(_ESCAPE)
        if steps < 0:
            steps = len(ahead)
        if steps:
            delta = np.frombuffer(ahead, np.int8, steps)
            if np.abs(delta.astype(np.int16)).max() >= _NEAR:
                raise KaldiError(f"{stream.where()}: an index that makes no sense")
            last = indexes[done - 1] if done else np.zeros(3, np.int32)
            indexes[done : done + steps] = last
            indexes[done : done + steps, 1] += np.cumsum(delta, dtype=np.int32)
            stream.skip(steps)
            done += steps
        if done < count:
            item = np.frombuffer(stream.read(_WHOLE.itemsize), _WHOLE)[0]
            if (item["mark"], item["n4"], item["t4"], item["x4"]) != (_ESCAPE, 4, 4, 4):
                raise KaldiError(f"{stream.where()}: an index that makes no sense")
            indexes[done] = (item["n"], item["t"], item["x"])
            done += 1
    return indexes


def write_indexes(stream: OutputStream, binary: bool, indexes: np.ndarray) -> None:
    """``indexes``: int32 [rows, 3] of (n, t, x)."""
    write_token(stream, binary, "<I1V>")
    write_int32(stream, binary, len(indexes))
    if not binary:
        for row in indexes.tolist():
            write_token(stream, binary, "<I1>")
            for value in row:
                write_int32(stream, binary, value)
        return
    stream.write(_csrc.pack_indexes(indexes))
