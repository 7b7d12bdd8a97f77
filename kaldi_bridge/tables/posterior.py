"""Posteriors (hmm/posterior.cc): for each frame, a list of (index, weight).

An index is a transition-id, a pdf or whatever the file is about. In Gaussian posteriors the weights are vectors.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.basic_io import read_int32, write_int32
from kaldi_bridge.io.input_stream import TRUSTED_SIZE, InputStream
from kaldi_bridge.io.matrix_io import read_vector, write_vector
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.text import encode, fields, shown

Posterior = list[list[tuple[int, float]]]
GaussPosterior = list[list[tuple[int, np.ndarray]]]

_PAIR = np.dtype([("size", "i1"), ("index", "<i4"), ("size2", "i1"), ("weight", "<f4")])
_DOUBLE_PAIR = np.dtype([("size", "i1"), ("index", "<i4"), ("size2", "i1"), ("weight", "<f8")])
_SINGLE_FRAME = np.dtype([("size0", "i1"), ("count", "<i4"), *_PAIR.descr])  # a frame with one pair
_HEAD_SIZE = 5  # bytes: the number of a frame's pairs
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
    num_frames = _read_count(stream, True)
    single = _read_single_pairs(stream, num_frames)
    if single is not None:
        return single
    counts: list[np.ndarray] = [np.zeros(0, np.int64)]
    parts: list[np.ndarray] = [np.zeros(0, _PAIR)]
    missing = num_frames
    while missing:
        found = _read_buffered(stream, missing)
        if found is None:
            pairs = _read_pairs(stream, _read_count(stream, True))
            found = np.array([len(pairs)]), pairs
        counts.append(found[0])
        parts.append(found[1])
        missing -= len(found[0])
    pairs = np.concatenate(parts)
    return SparsePosterior.from_counts(np.concatenate(counts), pairs["index"], pairs["weight"])


def _read_single_pairs(stream: InputStream, num_frames: int) -> SparsePosterior | None:
    """Frames with one pair each, by far the most common; None, with nothing read, where there are others."""
    nbytes = num_frames * _SINGLE_FRAME.itemsize
    if nbytes > TRUSTED_SIZE or stream.fill(nbytes) < nbytes:
        return None
    frames = np.ndarray(num_frames, _SINGLE_FRAME, stream.buffer, stream.pos)
    expected = {"size0": 4, "count": 1, "size": 4, "size2": 4}
    if not all((frames[name] == value).all() for name, value in expected.items()):
        return None
    read = SparsePosterior(np.arange(num_frames + 1), frames["index"].astype("i4"), frames["weight"].astype("f4"))
    stream.pos += nbytes
    return read


def _read_buffered(stream: InputStream, most: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The number of pairs of each of the frames that are buffered whole, and their pairs; None where there are none."""
    stream.fill(min(most * _SINGLE_FRAME.itemsize, TRUSTED_SIZE))
    buffer, at = stream.buffer, stream.pos
    starts: list[int] = []
    while len(starts) < most and at + _HEAD_SIZE <= stream.end and buffer[at] == 4:
        following = at + _HEAD_SIZE + _PAIR.itemsize * int.from_bytes(buffer[at + 1 : at + _HEAD_SIZE], "little")
        if following > stream.end:
            break
        starts.append(at)
        at = following
    begins = np.array([*starts, at]) - stream.pos
    data = np.frombuffer(buffer, np.uint8, at - stream.pos, stream.pos)
    pairs = data[~_is_head(begins[:-1], len(data))].view(_PAIR)
    if not starts or not _has_sizes(pairs):
        return None
    stream.pos = at
    return (np.diff(begins) - _HEAD_SIZE) // _PAIR.itemsize, pairs


def _is_head(starts: np.ndarray, size: int) -> np.ndarray:
    """Bool [size], which of so many bytes tell frames' numbers of pairs; ``starts`` [frames] are where frames begin."""
    is_head = np.zeros(size, bool)
    is_head[(starts[:, np.newaxis] + np.arange(_HEAD_SIZE)).ravel()] = True
    return is_head


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
    write_int32(stream, True, len(value))
    # The frames' counts and the pairs stand between one another: each has its place in bytes.
    data = np.empty(_HEAD_SIZE * len(value) + _PAIR.itemsize * len(value.indexes), np.uint8)
    pairs = np.empty(len(value.indexes), _PAIR)
    pairs["size"] = pairs["size2"] = 4
    pairs["index"], pairs["weight"] = value.indexes, value.weights
    is_head = _is_head(_HEAD_SIZE * np.arange(len(value)) + _PAIR.itemsize * value.offsets[:-1], len(data))
    data[~is_head] = pairs.view(np.uint8)
    heads_bytes = np.empty((len(value), _HEAD_SIZE), np.uint8)
    heads_bytes[:, 0] = 4
    heads_bytes[:, 1:] = value.counts.astype("<i4").view(np.uint8).reshape(-1, 4)
    data[is_head] = heads_bytes.ravel()
    stream.write(data.tobytes())


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
