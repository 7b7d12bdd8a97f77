"""Rooms and noises around a recording (featbin/wav-reverberate.cc, feat/signal.cc)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import KaldiError

EARLY_BEFORE, EARLY_AFTER = 0.001, 0.05  # seconds around the peak of an impulse response: early reflections
FULL_SCALE = 1 << 15  # impulse responses in files are that much louder


@dataclass
class Noise:
    """Something that is added.

    Attributes:
        samples: [samples].
        snr: the signal's early energy over its own, in dB.
        start: in samples.
    """

    samples: np.ndarray
    snr: float
    start: int


def convolved(response: np.ndarray, signal: np.ndarray) -> np.ndarray:
    """[signal + response - 1 samples], float32.

    As Kaldi does it, by Fourier transforms of blocks in which the first two numbers, the mean and half the sampling
    rate, are multiplied as if they were one complex number.
    """
    taps = len(response)
    size = 1 << (4 * taps - 1).bit_length()
    step, total = size - taps + 1, len(signal) + taps - 1
    transform = np.fft.rfft(response.astype(np.float64), size)
    made = np.zeros(total + size)
    for begin in range(0, total, step):
        block = np.fft.rfft(signal[begin : begin + step].astype(np.float64), size)
        product = block * transform
        ends = complex(block[0].real, block[-1].real) * complex(transform[0].real, transform[-1].real)
        product[0], product[-1] = ends.real, ends.imag
        made[begin : begin + size] += np.fft.irfft(product, size)
    return made[:total].astype(np.float32)


def early_energy(response: np.ndarray, signal: np.ndarray, rate: float) -> float:
    """Mean square of a signal as its early reflections let it sound."""
    peak = int(response.argmax())
    begin = max(int(np.float32(peak - np.float32(EARLY_BEFORE) * np.float32(rate))), 0)
    end = min(int(np.float32(peak + np.float32(EARLY_AFTER) * np.float32(rate))), len(response))
    return mean_square(convolved(response[begin:end], signal))


def mean_square(samples: np.ndarray) -> float:
    """Of [samples]."""
    return float(np.square(samples, dtype=np.float64).mean())


def reverberated(
    signal: np.ndarray,
    rate: float,
    response: np.ndarray | None,
    noises: Sequence[Noise],
    normalize: bool = True,
    volume: float = 0.0,
) -> np.ndarray:
    """A signal [samples] in a room, with noises; float32.

    Args:
        response: of the room to an impulse, at the scale of 16-bit integers. The signal becomes longer by it.
        normalize: as loud as it was.
        volume: factor instead, where it is positive.

    Raises:
        KaldiError: a noise without samples.
    """
    power, made = mean_square(signal), signal.astype(np.float32)
    early = power
    if response is not None:
        scaled = response.astype(np.float32) / np.float32(FULL_SCALE)
        early = early_energy(scaled, signal, rate)
        made = convolved(scaled, signal)
    for noise in noises:
        if not len(noise.samples):
            raise KaldiError("a noise without samples")
        level = np.float32(mean_square(noise.samples)) + np.finfo(np.float32).eps
        scale = np.float32(np.sqrt(10 ** (-noise.snr / 10) * early / level))
        inside = noise.samples[: max(len(made) - noise.start, 0)]
        made[noise.start : noise.start + len(inside)] += scale * inside
    if volume > 0:
        return made * np.float32(volume)
    after = mean_square(made)
    return made * np.float32(np.sqrt(power / after)) if normalize and after > 0 else made


def fitted(samples: np.ndarray, first: int, period: int, length: int) -> np.ndarray:
    """[length]: samples from ``first`` on, and where ``period`` of them are too few, these again and again.

    Raises KaldiError where there are not as many.
    """
    size = min(length, period)
    part = samples[first : first + size]
    if len(part) < size or not size:
        raise KaldiError(f"there are {max(len(samples) - first, 0)} samples from {first} on, not {size}")
    return np.resize(part, length)
