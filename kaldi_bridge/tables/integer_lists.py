"""Integers on a line: vectors, lists of vectors and vectors of pairs, as tables hold them (util/kaldi-holder-inl.h).

Text: "1 2 3", "1 2 ; 3 ; " and "1 2 ; 3 4 "; in binary each integer has its size in front.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.basic_io import int32_array, read_int32, read_raw, write_int32
from kaldi_bridge.io.input_stream import TRUSTED_SIZE, InputStream
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.text import encode, fields

_INTEGERS = re.compile(rb"[-+0-9 ]*")
_TAGGED = np.dtype([("size", "i1"), ("value", "<i4")])  # an int32 as WriteBasicType writes it


class RaggedIntegers:
    """A vector of vectors of integers on arrays, for what goes over all of them at once.

    Attributes:
        offsets: int64 [vectors + 1]; those of vector i are ``offsets[i]`` to ``offsets[i + 1] - 1``.
        values: int32 [all of them].
    """

    def __init__(self, offsets: np.ndarray, values: np.ndarray) -> None:
        self.offsets, self.values = offsets, values

    @classmethod
    def from_lists(cls, lists: Sequence[Sequence[int]]) -> RaggedIntegers:
        offsets = np.concatenate([[0], np.cumsum([len(inner) for inner in lists], dtype=np.int64)]).astype(np.int64)
        return cls(offsets, np.array([value for inner in lists for value in inner], np.int32))

    def __len__(self) -> int:
        """The number of vectors."""
        return len(self.offsets) - 1

    def __getitem__(self, part: slice) -> RaggedIntegers:
        """Some of the vectors, one after the other."""
        begin, end, _ = part.indices(len(self))
        offsets = self.offsets[begin : max(begin, end) + 1]
        return RaggedIntegers(offsets - offsets[0], self.values[offsets[0] : offsets[-1]])

    @property
    def counts(self) -> np.ndarray:
        """int64 [vectors], how many integers each has."""
        return np.diff(self.offsets)


def _read_count(stream: InputStream) -> int:
    count = read_int32(stream, True)
    if count < 0:
        raise KaldiError(f"{stream.where()}: negative length {count}")
    return count


def _tagged_ints(stream: InputStream, count: int) -> np.ndarray:
    raw = read_raw(stream, 5 * count, "u1").view(_TAGGED)
    if (raw["size"] != 4).any():
        raise KaldiError(f"{stream.where()}: expected {count} 4-byte integers")
    return raw["value"].astype(np.int32)


def _text_ints(stream: InputStream, words: list[bytes]) -> list[int]:
    try:
        if _INTEGERS.fullmatch(b" ".join(words)):
            return np.array(list(map(int, words)), np.int32).tolist()
    except (ValueError, OverflowError):
        pass
    raise KaldiError(f"{stream.where()}: expected 32-bit integers on the line before")


def read_ints(stream: InputStream, binary: bool) -> np.ndarray:
    """A vector of integers, as int32."""
    if binary:
        buffered: np.ndarray | None = stream.parsed(_csrc.parse_integers)
        return _tagged_ints(stream, _read_count(stream)) if buffered is None else buffered
    return np.array(_text_ints(stream, fields(read_line(stream))), np.int32)


def write_ints(stream: OutputStream, binary: bool, value: Any) -> None:
    """Writes a vector of integers."""
    if binary:
        stream.write(_csrc.pack_integers(int32_array(stream, value)))
    else:
        values = int32_array(stream, value).tolist()
        stream.write(encode("".join(f"{v} " for v in values) + "\n"))


def read_int_lists(stream: InputStream, binary: bool) -> list[list[int]]:
    """A vector of vectors of integers."""
    if binary:
        return [_tagged_ints(stream, _read_count(stream)).tolist() for _ in range(_read_count(stream))]
    *lists, rest = read_line(stream).split(b";")
    if fields(rest):
        raise KaldiError(f"{stream.where()}: no semicolon at the end of a line of integer lists")
    return [_text_ints(stream, fields(words)) for words in lists]


def read_ragged(stream: InputStream, binary: bool) -> RaggedIntegers:
    """A vector of vectors of integers on arrays; fast where all have the same length, as in Gaussian selection."""
    if not binary:
        return RaggedIntegers.from_lists(read_int_lists(stream, False))
    rows = _read_count(stream)
    head = stream.peek(5)
    width = int.from_bytes(head[1:], "little", signed=True) + 1  # with the length itself, an int32 like the others
    nbytes = 5 * rows * width
    if rows and width > 0 and nbytes <= TRUSTED_SIZE and stream.fill(nbytes) >= nbytes:
        table = np.ndarray((rows, width), _TAGGED, stream.buffer, stream.pos)
        if (table["size"] == 4).all() and (table["value"][:, 0] == width - 1).all():
            values = table["value"][:, 1:].ravel().astype(np.int32)
            stream.pos += nbytes
            return RaggedIntegers(np.arange(rows + 1) * (width - 1), values)
    return RaggedIntegers.from_lists([_tagged_ints(stream, _read_count(stream)).tolist() for _ in range(rows)])


def write_ragged(stream: OutputStream, binary: bool, value: RaggedIntegers) -> None:
    """Writes a vector of vectors of integers."""
    ends = value.offsets.tolist()
    if binary:
        _write_counted(stream, len(value), np.insert(value.values, value.offsets[:-1], value.counts))
    else:
        write_int_lists(stream, binary, [value.values[b:e] for b, e in zip(ends, ends[1:], strict=False)])


def _write_counted(stream: OutputStream, count: int, values: Any) -> None:
    """A number of things, in binary, and the integers that they are."""
    packed = _csrc.pack_integers(int32_array(stream, values))
    write_int32(stream, True, count)
    stream.write(packed[_TAGGED.itemsize :])  # without their number


def write_int_lists(stream: OutputStream, binary: bool, value: Any) -> None:
    """Writes a vector of vectors of integers."""
    if binary:
        write_int32(stream, True, len(value))
        for inner in value:
            write_ints(stream, True, inner)
    else:
        text = "".join("".join(f"{int(v)} " for v in inner) + "; " for inner in value)
        stream.write(encode(text + "\n"))


def read_int_pairs(stream: InputStream, binary: bool) -> list[tuple[int, int]]:
    """A vector of pairs of integers."""
    if binary:
        flat = _tagged_ints(stream, 2 * _read_count(stream)).tolist()
        return list(zip(flat[::2], flat[1::2], strict=True))
    pairs = []
    line = read_line(stream)
    for words in line.split(b";") if fields(line) else []:
        numbers = _text_ints(stream, fields(words))
        if len(numbers) != 2:
            raise KaldiError(f"{stream.where()}: expected pairs of integers, got {len(numbers)} of them")
        pairs.append((numbers[0], numbers[1]))
    return pairs


def write_int_pairs(stream: OutputStream, binary: bool, value: Any) -> None:
    """Writes a vector of pairs of integers."""
    if binary:
        _write_counted(stream, len(value), [v for pair in value for v in pair])
    else:
        stream.write(encode("; ".join(f"{int(a)} {int(b)} " for a, b in value) + "\n"))


def read_line(stream: InputStream) -> bytes:
    """The rest of the line, which must be there."""
    line = stream.readline()
    if not line:
        raise KaldiError(f"{stream.where()}: input ends where a line should be")
    return line
