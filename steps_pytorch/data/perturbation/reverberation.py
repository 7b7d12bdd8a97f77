"""Reverberation by recorded or simulated room impulse responses (featbin/wav-reverberate.cc)."""

from __future__ import annotations

import numpy as np

from steps_pytorch.data.perturbation.base import power
from steps_pytorch.data.perturbation.sounds import Sounds


class Reverberation:
    """Convolves with an impulse response; neither delays the signal nor changes its power.

    Args:
        share: of the chunks that it happens to.
    """

    def __init__(self, responses: Sounds, share: float = 1.0) -> None:
        self._responses, self._share = responses, share
        self.history = responses.longest

    def __call__(self, samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
        if not len(samples) or random.random() >= self._share:
            return samples
        response = self._responses.draw(random)
        direct = int(np.argmax(abs(response)))  # when the sound itself arrives
        size = 1 << (len(samples) + len(response) - 2).bit_length()
        spectrum = np.fft.rfft(samples, size) * np.fft.rfft(response, size)
        reverberated = np.fft.irfft(spectrum, size)[direct : direct + len(samples)]
        before, after = power(samples), power(reverberated)
        return (reverberated * (np.sqrt(before / after) if after else 1.0)).astype(np.float32)
