"""Recordings at another speed or volume, or noises at another rate: what augmentation does to sound.

Resampling is that of the soxr package, SoX's own: in Kaldi's recipes SoX does this. Features of recordings at another
rate want Kaldi's instead: kaldi_bridge.features.resampling.
"""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.wave import Wave


def with_speed(wave: Wave, factor: float) -> Wave:
    """``factor`` times as fast: shorter and higher, at the same sampling rate. Raises KaldiError for no speed."""
    if not 0.1 <= factor <= 10:
        raise KaldiError(f"a speed of {factor:g}: must be from 0.1 to 10")
    return Wave(wave.sample_frequency, soxr_resampled(wave.data, wave.sample_frequency * factor, wave.sample_frequency))


def with_volume(wave: Wave, factor: float) -> Wave:
    """Samples times ``factor``, clipped to 16 bits when they are written. Raises KaldiError unless it is positive."""
    if not 0 < factor < 1e4:
        raise KaldiError(f"a volume of {factor:g}: must be positive")
    return Wave(wave.sample_frequency, wave.data * np.float32(factor))


def soxr_resampled(data: np.ndarray, old_rate: float, new_rate: float) -> np.ndarray:
    """[channels, samples] at one rate in Hz -> [channels, samples] at another, float32."""
    import soxr  # not needed by those who resample nothing

    if old_rate == new_rate:
        return data
    return np.ascontiguousarray(soxr.resample(data.T, old_rate, new_rate, quality="HQ").T, np.float32)
