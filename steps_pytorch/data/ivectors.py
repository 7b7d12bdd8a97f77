"""Online i-vectors: a row for every so many frames of an utterance."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text_files import read_text
from kaldi_bridge.tables import RandomAccessReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.scp import read_script


class OnlineIvectors:
    """Of a directory with ivector_online.scp and ivector_period.

    Attributes:
        dim: of an i-vector.
    """

    def __init__(self, directory: str) -> None:
        path = Path(directory)
        try:
            self._period = int(read_text(path / "ivector_period"))
        except ValueError as error:
            raise KaldiError(f"{path / 'ivector_period'}: {error}") from None
        self._path = str(path / "ivector_online.scp")
        self._utterances = set(read_script(self._path))
        self._reader: RandomAccessReader[np.ndarray] | None = None
        first = next(iter(sorted(self._utterances)), None)
        if first is None:
            raise KaldiError(f"{self._path} is empty")
        self.dim = self._table()[first].shape[1]

    def __contains__(self, utterance: str) -> bool:
        return utterance in self._utterances

    def _table(self) -> RandomAccessReader[np.ndarray]:
        if self._reader is None:
            self._reader = RandomAccessReader(f"scp:{self._path}", FLOAT_MATRIX)
        return self._reader

    def at(self, utterance: str, frame: int) -> np.ndarray:
        """float32 [dim], the one of a frame; the nearest one for frames beyond the ends."""
        rows = self._table()[utterance]
        if not len(rows) or rows.shape[1] != self.dim:
            raise KaldiError(
                f"{self._path}: i-vectors {rows.shape[0]} x {rows.shape[1]}, expected dimension {self.dim}"
            )
        return rows[min(max(frame // self._period, 0), len(rows) - 1)]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_reader": None}
