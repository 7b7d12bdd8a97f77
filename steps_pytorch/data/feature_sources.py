"""Where features come from: a memory-mapped store, or tables of Kaldi's."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from kaldi_bridge.data_dirs.data_dir import DataDir
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.frame_store import FrameStore
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX


class FeatureSource(Protocol):
    """Features of utterances.

    Attributes:
        lengths: frames of each utterance.
        dim: columns.
        bad: why others have none, by utterance, where that is known.
    """

    lengths: dict[str, int]
    dim: int
    bad: dict[str, str]

    def frames(self, utterance: str, first: int, count: int, random: np.random.Generator | None) -> np.ndarray:
        """float32 [count, dim], from frame ``first``; the utterance's first or last one for frames beyond its ends.

        ``random``: for what is drawn at random in training; None: nothing.

        Raises:
            KaldiError: they cannot be read; says from which file.
        """
        ...


def clipped(first: int, count: int, length: int) -> tuple[int, int, np.ndarray]:
    """The frames to read, as first and number, and for each of the frames from ``first`` its place among them."""
    wanted = np.clip(np.arange(first, first + count), 0, length - 1)
    start = int(wanted[0])
    return start, int(wanted[-1]) - start + 1, wanted - start


class StoredFeatures:
    """Of a memory-mapped store (make_memmap.sh)."""

    def __init__(self, directory: str) -> None:
        self._store = FrameStore(directory)
        self.lengths, self.dim = self._store.lengths, self._store.dim
        self.bad: dict[str, str] = {}

    def frames(self, utterance: str, first: int, count: int, random: np.random.Generator | None) -> np.ndarray:
        start, read, places = clipped(first, count, self.lengths[utterance])
        return self._store.rows(utterance, start, read)[places].astype(np.float32, copy=False)


class TableFeatures:
    """Of a data directory's feats.scp. A whole utterance is read for each chunk: meant for small sets.

    The lengths are those of utt2num_frames, where it is there.
    """

    def __init__(self, directory: str) -> None:
        data = DataDir.read(directory, ("utt2spk", "feats.scp", "utt2num_frames"))
        scp = data.table("feats.scp")
        self._rspecifier = f"scp,p:{data.path / 'feats.scp'}"
        self._reader: RandomAccessReader[np.ndarray] | None = None
        lengths = data.tables.get("utt2num_frames", {})
        self.bad: dict[str, str] = {}
        try:
            self.lengths = {utterance: int(lengths[utterance]) for utterance in scp}
        except (KeyError, ValueError):
            with SequentialReader(self._rspecifier, FLOAT_MATRIX) as reader:
                self.lengths = {utterance: len(matrix) for utterance, matrix in reader}
            self.bad = {u: "its features cannot be read" for u in scp if u not in self.lengths}
        first = next((m for u in scp if (m := self._table().get(u)) is not None), None)
        if first is None:
            raise KaldiError(f"no features can be read from {data.path / 'feats.scp'}")
        self.dim = first.shape[1]

    def _table(self) -> RandomAccessReader[np.ndarray]:
        if self._reader is None:
            self._reader = RandomAccessReader(self._rspecifier, FLOAT_MATRIX)
        return self._reader

    def frames(self, utterance: str, first: int, count: int, random: np.random.Generator | None) -> np.ndarray:
        matrix = self._table().get(utterance)
        if matrix is None:
            raise KaldiError(f"no features in {self._rspecifier}")
        if matrix.shape != (self.lengths[utterance], self.dim):
            raise KaldiError(
                f"features of {matrix.shape[0]} frames and dimension {matrix.shape[1]} in {self._rspecifier}, "
                f"expected {self.lengths[utterance]} and {self.dim}"
            )
        start, read, places = clipped(first, count, len(matrix))
        return matrix[start : start + read][places]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_reader": None}
