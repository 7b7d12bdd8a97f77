"""Real numbers on a line, as tables hold them (util/kaldi-holder-inl.h, BasicVectorHolder<double>)."""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator, Sequence

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.basic_io import PRECISION, read_double, read_int32, write_double, write_int32
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.text import REAL, decode, encode, words
from kaldi_bridge.tables.integer_lists import read_line


def read_numbers(stream: InputStream, binary: bool) -> list[float]:
    """A vector of numbers. Raises KaldiError."""
    if binary:
        count = read_int32(stream, True)
        if count < 0 or not stream.holds(count):
            raise KaldiError(f"{stream.where()}: {count} numbers, but the input is not that long")
        return [read_double(stream, True) for _ in range(count)]
    line = words(decode(read_line(stream)))
    if not all(map(REAL.fullmatch, line)):
        raise KaldiError(f"{stream.where()}: expected numbers on the line before")
    return list(map(float, line))


def entries_of(key: bytes, rows: Sequence[Sequence[float]], binary: bool) -> bytes:
    """Vectors of numbers as entries of a table that have the same key."""
    if not binary:
        name = decode(key)
        return encode("".join(f"{name} {_format(len(row)) % (*row,)}\n" for row in rows))
    return b"".join(key + b" " + _struct(len(row)).pack(b"\0B", 4, len(row), *_with_sizes(row)) for row in rows)


@functools.cache
def _format(count: int) -> str:
    return f"%.{PRECISION}g " * count


@functools.cache
def _struct(count: int) -> struct.Struct:
    return struct.Struct("<2sbi" + "bd" * count)


def _with_sizes(row: Sequence[float]) -> Iterator[float]:
    for number in row:
        yield from (8, number)


def write_numbers(stream: OutputStream, binary: bool, value: Sequence[float]) -> None:
    """Writes a vector of numbers."""
    if binary:
        write_int32(stream, True, len(value))
    for number in value:
        write_double(stream, binary, number)
    if not binary:
        stream.write(b"\n")
