"""Vectors of pairs of numbers in tables, as times are kept (util/kaldi-holder-inl.h): text "1.5 2 ; 3 4.25"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.basic_io import format_float, read_int32, read_raw, write_int32
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.text import encode, words
from kaldi_bridge.tables.integer_lists import read_line

_TAGGED = np.dtype([("size", "i1"), ("value", "<f4")])  # a float as WriteBasicType writes it


def read_float_pairs(stream: InputStream, binary: bool) -> list[tuple[float, float]]:
    """A vector of pairs. Raises KaldiError."""
    if binary:
        count = read_int32(stream, True)
        if count < 0:
            raise KaldiError(f"{stream.where()}: negative length {count}")
        raw = read_raw(stream, 10 * count, "u1").view(_TAGGED)
        if (raw["size"] != 4).any():
            raise KaldiError(f"{stream.where()}: expected {2 * count} 4-byte numbers")
        return [(float(a), float(b)) for a, b in raw["value"].reshape(-1, 2)]
    line = read_line(stream)
    pairs = []
    for pair in line.split(b";") if words(line) else []:
        try:
            first, second = map(float, words(pair))
        except ValueError:
            raise KaldiError(f"{stream.where()}: expected pairs of numbers on the line before") from None
        pairs.append((first, second))
    return pairs


def write_float_pairs(stream: OutputStream, binary: bool, value: Sequence[tuple[float, float]]) -> None:
    """Writes a vector of pairs."""
    if binary:
        write_int32(stream, True, len(value))
        raw = np.empty(2 * len(value), _TAGGED)
        raw["size"] = 4
        raw["value"] = [number for pair in value for number in pair]
        stream.write(raw.tobytes())
    else:
        text = "; ".join(f"{format_float(a)} {format_float(b)} " for a, b in value)
        stream.write(encode(text + "\n"))
