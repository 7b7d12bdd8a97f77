"""How alike two sets of features are (featbin/compare-feats.cc): 2 <a, b> / (<a, a> + <b, b>) of each dimension."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import EntryError, KaldiError


class Comparison:
    """Sums over utterances.

    Attributes:
        first, second, cross: float64 [dim], products of each set with itself, and with the other; None at first.
    """

    def __init__(self) -> None:
        self.first = self.second = self.cross = np.zeros(0)

    def add(self, first: np.ndarray, second: np.ndarray, utterance: str = "") -> None:
        """Two matrices [frames, dim].

        Raises EntryError when their dimensions differ, KaldiError when they have other dimensions than those before or
        differ in length.
        """
        if first.shape[1] != second.shape[1]:
            raise EntryError(
                f"Feature dimensions differ for utterance {utterance}, {first.shape[1]} vs. {second.shape[1]}, "
                f"skipping  utterance.{utterance}"
            )
        if len(first) != len(second):
            raise KaldiError(f"the sets have {len(first)} and {len(second)} frames")
        if not len(self.cross):
            self.first, self.second, self.cross = np.zeros((3, first.shape[1]))
        if first.shape[1] != len(self.cross):
            raise KaldiError(f"features of dimension {first.shape[1]}, not {len(self.cross)}")
        a, b = first.astype(np.float64), second.astype(np.float64)
        self.first += (a * a).sum(axis=0)
        self.second += (b * b).sum(axis=0)
        self.cross += (a * b).sum(axis=0)

    @property
    def similarity(self) -> np.ndarray:
        """[dim], 1 where the sets are identical."""
        made: np.ndarray = 2 * self.cross / (self.first + self.second)
        return made
