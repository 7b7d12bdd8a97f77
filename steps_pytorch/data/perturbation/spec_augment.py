"""SpecAugment: blocks of time and of frequency are masked (Park et al., Interspeech 2019)."""

from __future__ import annotations

import numpy as np


class SpecAugment:
    """Masks features [frames, dim] with the mean of the chunk. Frequencies are those of filterbanks, not of cepstra.

    Args:
        time_masks: their number in a chunk; each is up to ``time_width`` frames wide, but all together not more than
            ``most_time`` of the chunk.
        frequency_masks: their number; each is up to ``frequency_width`` columns wide.
    """

    def __init__(
        self,
        time_masks: int = 2,
        time_width: int = 20,
        most_time: float = 0.2,
        frequency_masks: int = 0,
        frequency_width: int = 10,
    ) -> None:
        self._time_masks, self._time_width, self._most_time = time_masks, time_width, most_time
        self._frequency_masks, self._frequency_width = frequency_masks, frequency_width

    def __call__(self, features: np.ndarray, random: np.random.Generator) -> np.ndarray:
        frames, dim = features.shape
        masked, mean = features.copy(), features.mean(0)
        widest = min(self._time_width, int(self._most_time * frames / max(1, self._time_masks)))
        for _ in range(self._time_masks):
            masked[_block(frames, widest, random)] = mean
        for _ in range(self._frequency_masks):
            columns = _block(dim, min(self._frequency_width, dim), random)
            masked[:, columns] = mean[columns]
        return masked


def _block(size: int, widest: int, random: np.random.Generator) -> slice:
    width = int(random.integers(widest + 1))
    begin = int(random.integers(size - width + 1))
    return slice(begin, begin + width)
