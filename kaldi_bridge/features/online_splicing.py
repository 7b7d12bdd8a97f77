"""Frames spliced with their neighbours and transformed, as soon as those are there (feat/online-feature.cc)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.transforms.linear import transform


@dataclass
class SpliceOptions:
    """How many neighbours a frame is spliced with."""

    left_context: int = option(4, "Left-context for frame splicing prior to LDA")
    right_context: int = option(4, "Right-context for frame splicing prior to LDA")


class OnlineSplicing:
    """One utterance: ``extend`` gives the frames that have become ready, in order.

    Args:
        matrix: [rows, (left + 1 + right) * dim], or with one column more for an offset.
    """

    def __init__(self, options: SpliceOptions, matrix: np.ndarray) -> None:
        if options.left_context < 0 or options.right_context < 0:
            raise KaldiError("--left-context and --right-context must not be negative")
        self._left, self._right, self._matrix = options.left_context, options.right_context, matrix
        self._kept = np.zeros((0, 0), np.float32)  # the frames from `_first` on
        self._first = self.num_ready = 0

    def extend(self, feats: np.ndarray, last: bool) -> np.ndarray:
        """Spliced and transformed frames [frames, rows]; all of them once ``feats`` [frames, dim] are the ``last``.

        Beyond the ends, the first and last frame are repeated. Raises KaldiError when the matrix does not fit.
        """
        self._kept = np.concatenate([self._kept, feats]) if len(self._kept) else feats
        total = self._first + len(self._kept)
        begin, end = self.num_ready, total if last else max(self.num_ready, total - self._right)
        width = self._left + 1 + self._right
        if begin == end:
            return np.zeros((0, len(self._matrix)), np.float32)
        at = np.clip(np.arange(begin - self._left, end + self._right), 0, total - 1) - self._first
        spliced = np.concatenate([self._kept[at[j : j + end - begin]] for j in range(width)], axis=1)
        self.num_ready = end
        keep = max(end - self._left, 0)
        self._kept, self._first = self._kept[keep - self._first :], keep
        return transform(spliced, self._matrix)
