"""Posteriors (hmm/posterior.cc): for each frame, a list of (index, weight).

An index is a transition-id, a pdf or whatever the file is about. In Gaussian posteriors the weights are vectors.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.basic_io import read_int32, write_int32
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.matrix_io import read_vector, write_vector
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.text import encode, fields, shown

Posterior = list[list[tuple[int, float]]]
GaussPosterior = list[list[tuple[int, np.ndarray]]]

_PAIR = np.dtype([("size", "i1"), ("index", "<i4"), ("size2", "i1"), ("weight", "<f4")])
_DOUBLE_PAIR = np.dtype([("size", "i1"), ("index", "<i4"), ("size2", "i1"), ("weight", "<f8")])
_COUNT = struct.Struct("<bi")
_VECTOR_OF = struct.Struct("<bi3sbi")  # an index, and what stands before a vector
_MOST_FRAMES = 10_000_000  # Kaldi's own bound
_FRAME = re.compile(rb"\s*\[([-+0-9.eE\s]*)\]")


class SparsePosterior:
    """A posterior on arrays, for what goes over all frames at once.

    Attributes:
        offsets: int64 [frames + 1]; the pairs of frame t are ``offsets[t]`` to ``offsets[t + 1] - 1``.
        indexes: int32 [pairs]; weights: float32 [pairs].
    """

    def __init__(self, offsets: np.ndarray, indexes: np.ndarray, weights: np.ndarray) -> None:
        self.offsets, self.indexes, self.weights = offsets, indexes, weights

    @classmethod
    def from_counts(
        cls, counts: Sequence[int] | np.ndarray, indexes: np.ndarray, weights: np.ndarray
    ) -> SparsePosterior:
        """From the number of pairs of each frame."""
        offsets = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)
        return cls(offsets, indexes.astype(np.int32, copy=False), weights.astype(np.float32, copy=False))

    @classmethod
    def from_lists(cls, frames: Sequence[Sequence[tuple[int, float]]]) -> SparsePosterior:
        pairs = [pair for frame in frames for pair in frame]
        indexes = np.array([index for index, _ in pairs], np.int32)
        return cls.from_counts([len(frame) for frame in frames], indexes, np.array([weight for _, weight in pairs]))

    def to_lists(self) -> Posterior:
        pairs = list(zip(self.indexes.tolist(), self.weights.tolist(), strict=True))
        ends = self.offsets.tolist()
        return [pairs[begin:end] for begin, end in zip(ends, ends[1:], strict=False)]

    def __len__(self) -> int:
        """The number of frames."""
        return len(self.offsets) - 1

    @property
    def counts(self) -> np.ndarray:
        """int64 [frames], the number of pairs of each frame."""
        return np.diff(self.offsets)

    @property
    def frames(self) -> np.ndarray:
        """int64 [pairs], the frame of each pair."""
        return np.repeat(np.arange(len(self)), self.counts)

    def selected(self, kept: np.ndarray) -> SparsePosterior:
        """Only the pairs where ``kept`` (bool [pairs]); all frames stay."""
        counts = np.bincount(self.frames[kept], minlength=len(self))
        return self.from_counts(counts, self.indexes[kept], self.weights[kept])


def _read_count(stream: InputStream, binary: bool) -> int:
    count = read_int32(stream, binary)
    if not 0 <= count <= _MOST_FRAMES:
        raise KaldiError(f"{stream.where()}: a posterior of length {count}")
    return count


def read_posterior(stream: InputStream, binary: bool) -> Posterior:
    """Reads a posterior; weights are float32 values."""
    return read_sparse_posterior(stream, binary).to_lists() if binary else _read_text(stream)


def read_sparse_posterior(stream: InputStream, binary: bool) -> SparsePosterior:
    """Reads a posterior as arrays."""
    if not binary:
        return SparsePosterior.from_lists(_read_text(stream))
    if (buffered := stream.parsed(_csrc.parse_posterior, read_on=True)) is not None:
        return SparsePosterior(*buffered)
    frames = [_read_pairs(stream, _read_count(stream, True)) for _ in range(_read_count(stream, True))]
    pairs = np.concatenate([np.zeros(0, _PAIR), *frames])
    return SparsePosterior.from_counts([len(frame) for frame in frames], pairs["index"], pairs["weight"])


def _has_sizes(pairs: np.ndarray) -> bool:
    """Whether what stands before each number is its size."""
    return bool((pairs["size"] == 4).all() and (pairs["size2"] == pairs.dtype["weight"].itemsize).all())


def _read_pairs(stream: InputStream, count: int) -> np.ndarray:
    kind = _DOUBLE_PAIR if stream.peek(6)[5:] == b"\10" else _PAIR
    pairs = np.frombuffer(stream.read(count * kind.itemsize), kind)
    if not _has_sizes(pairs):
        raise KaldiError(f"{stream.where()}: expected an integer and a real number")
    return pairs.astype(_PAIR)


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
    if binary:
        try:
            arrays = SparsePosterior.from_lists(value)
        except (OverflowError, ValueError, TypeError) as error:
            raise KaldiError(f"{stream.name}: a posterior that cannot be written: {error}") from error
        write_sparse_posterior(stream, True, arrays)
        return
    frames = ("[ " + "".join(f"{int(i)} {float(np.float32(w)):.7g} " for i, w in frame) + "] " for frame in value)
    stream.write(encode("".join(frames) + "\n"))


def write_sparse_posterior(stream: OutputStream, binary: bool, value: SparsePosterior) -> None:
    """Writes a posterior of arrays."""
    if not binary:
        write_posterior(stream, False, value.to_lists())
        return
    stream.write(_csrc.pack_posterior(value.offsets, value.indexes, value.weights))


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
    if binary:
        parts = [_COUNT.pack(4, len(value))]
        for frame in value:
            parts.append(_COUNT.pack(4, len(frame)))
            for index, weights in frame:
                own = np.asarray(weights, "<f4")
                parts += [_VECTOR_OF.pack(4, index, b"FV ", 4, own.size), own.tobytes()]
        stream.write(b"".join(parts))
        return
    write_int32(stream, binary, len(value))
    for frame in value:
        write_int32(stream, binary, len(frame))
        for index, weights in frame:
            write_int32(stream, binary, index)
            write_vector(stream, binary, np.asarray(weights, np.float32))
    if not binary:
        stream.write(b"\n")
