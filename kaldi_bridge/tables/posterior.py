"""Posteriors (hmm/posterior.cc): for each frame, a list of (index, weight).

An index is a transition-id, a pdf or whatever the file is about. In Gaussian posteriors the weights are vectors.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.basic_io import read_int32, read_raw, write_int32
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.matrix_io import read_vector, write_vector
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.text import encode, fields, shown

Posterior = list[list[tuple[int, float]]]
GaussPosterior = list[list[tuple[int, np.ndarray]]]

_PAIR = np.dtype([("size", "i1"), ("index", "<i4"), ("size2", "i1"), ("weight", "<f4")])
_ONE_PAIR = struct.Struct("<bibf")
_MOST_FRAMES = 10_000_000  # Kaldi's own bound
_FRAME = re.compile(rb"\s*\[([-+0-9.eE\s]*)\]")


def _read_count(stream: InputStream, binary: bool) -> int:
    count = read_int32(stream, binary)
    if not 0 <= count <= _MOST_FRAMES:
        raise KaldiError(f"{stream.where()}: a posterior of length {count}")
    return count


def read_posterior(stream: InputStream, binary: bool) -> Posterior:
    """Reads a posterior; weights are float32 values."""
    if not binary:
        return _read_text(stream)
    return [_read_pairs(stream, _read_count(stream, True)) for _ in range(_read_count(stream, True))]


def _read_pairs(stream: InputStream, count: int) -> list[tuple[int, float]]:
    if count == 1 and stream.peek(6)[5:] == b"\4":  # by far the most common
        size, index, _, weight = _ONE_PAIR.unpack(stream.read(10))
        if size == 4:
            return [(index, weight)]
    elif stream.peek(6)[5:] == b"\10":
        return [_read_double_pair(stream) for _ in range(count)]
    else:
        pairs = read_raw(stream, 10 * count, "u1").view(_PAIR)
        if (pairs["size"] == 4).all() and (pairs["size2"] == 4).all():
            return list(zip(pairs["index"].tolist(), pairs["weight"].tolist(), strict=True))
    raise KaldiError(f"{stream.where()}: expected an integer and a real number")


def _read_double_pair(stream: InputStream) -> tuple[int, float]:
    size, index, size2, weight = struct.unpack("<bibd", stream.read(14))
    if (size, size2) != (4, 8):
        raise KaldiError(f"{stream.where()}: expected an integer and a real number")
    return index, float(np.float32(weight))


def _read_text(stream: InputStream) -> Posterior:
    line = stream.readline()
    if not line:
        raise KaldiError(f"{stream.where()}: input ends where a posterior should be")
    frames = []
    position = 0
    end = len(line.rstrip(b" \t\n\r\f\v"))
    while position < end:
        match = _FRAME.match(line, position)
        if not match:
            found = shown(line[position : position + 20])
            raise KaldiError(f"{stream.where()}: expected a frame such as [ 12 0.5 ] in a posterior, got {found}")
        position = match.end()
        words = fields(match[1])
        try:
            weights = np.array([float(word) for word in words[1::2]], np.float32).tolist()
            indexes = [int(word) for word in words[::2]]
            if any(not -(1 << 31) <= index < 1 << 31 for index in indexes):
                raise ValueError("index out of range")
            frames.append(list(zip(indexes, weights, strict=True)))
        except ValueError as error:
            raise KaldiError(f"{stream.where()}: malformed frame in a posterior: {error}") from error
    return frames


def write_posterior(stream: OutputStream, binary: bool, value: Sequence[Sequence[tuple[int, float]]]) -> None:
    """Writes a posterior."""
    if not binary:
        frames = ("[ " + "".join(f"{int(i)} {float(np.float32(w)):.7g} " for i, w in frame) + "] " for frame in value)
        stream.write(encode("".join(frames) + "\n"))
        return
    write_int32(stream, True, len(value))
    for frame in value:
        try:
            pairs = [_ONE_PAIR.pack(4, int(i), 4, w) for i, w in frame]
        except (struct.error, OverflowError) as error:
            raise KaldiError(f"{stream.name}: a posterior that cannot be written: {error}") from error
        stream.write(struct.pack("<bi", 4, len(frame)) + b"".join(pairs))


def read_gauss_posterior(stream: InputStream, binary: bool) -> GaussPosterior:
    """Reads a Gaussian posterior: for each frame, (index, weights of the Gaussians)."""
    return [
        [(read_int32(stream, binary), read_vector(stream, binary)) for _ in range(_read_count(stream, binary))]
        for _ in range(_read_count(stream, binary))
    ]


def write_gauss_posterior(
    stream: OutputStream, binary: bool, value: Sequence[Sequence[tuple[int, np.ndarray]]]
) -> None:
    """Writes a Gaussian posterior."""
    write_int32(stream, binary, len(value))
    for frame in value:
        write_int32(stream, binary, len(frame))
        for index, weights in frame:
            write_int32(stream, binary, index)
            write_vector(stream, binary, np.asarray(weights, np.float32))
    if not binary:
        stream.write(b"\n")
