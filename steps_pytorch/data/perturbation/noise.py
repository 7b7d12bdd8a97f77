"""Additive noise, at a signal-to-noise ratio in dB (featbin/wav-reverberate.cc, AddNoise).

The signal is what is given: the samples of a chunk with its context, where Kaldi's program has whole utterances.
"""

from __future__ import annotations

import numpy as np

from steps_pytorch.data.perturbation.base import power, uniform
from steps_pytorch.data.perturbation.sounds import Sounds

_LEAST = 1e-10  # power below which a noise is silence


class GaussianNoise:
    """White noise at a ratio drawn from ``snr``."""

    history = 0

    def __init__(self, snr: tuple[float, float] = (10.0, 30.0)) -> None:
        self._snr = snr

    def __call__(self, samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
        noise = random.standard_normal(len(samples), dtype=np.float32)
        return _added(samples, noise, uniform(self._snr, random))


class RecordedNoise:
    """A recorded noise, from any place of it on and repeated where it is too short.

    Args:
        share: of the chunks that get any.
    """

    history = 0

    def __init__(self, sounds: Sounds, snr: tuple[float, float] = (0.0, 20.0), share: float = 1.0) -> None:
        self._sounds, self._snr, self._share = sounds, snr, share

    def __call__(self, samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
        if random.random() >= self._share:
            return samples
        noise = self._sounds.draw(random)
        begin = int(random.integers(len(noise)))
        repeated = np.resize(np.roll(noise, -begin), len(samples))
        return _added(samples, repeated, uniform(self._snr, random))


def _added(samples: np.ndarray, noise: np.ndarray, snr: float) -> np.ndarray:
    noise_power = power(noise)
    if noise_power < _LEAST:
        return samples
    scale = np.sqrt(power(samples) / noise_power * 10.0 ** (-snr / 10.0))
    return samples + np.float32(scale) * noise
