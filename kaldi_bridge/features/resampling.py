"""Waveforms at another sampling rate, as Kaldi makes them (feat/resample.cc): whole, in parts, or as they come in.

Sample n at the new rate R is the value at time n / R of the samples x at the old rate S, taken as a continuous signal
without frequencies above the cutoff C. That is a sum under a sinc in a Hann window of Z zero crossings on each side:

    y_n = 1/S sum_k h(n/R - k/S) x_k,    h(t) = sin(2 pi C t) / (pi t) * (1 + cos(2 pi C t / Z)) / 2  where |t| < Z / 2C

With S / R = a / b in lowest terms, the weights of sample n + b are those of sample n, on samples that are a later:
b sets of weights, "phases", are enough. Other resamplers cut elsewhere, less or more sharply, and features show it.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc

NUM_ZEROS = 6  # Z, where waveforms are resampled for features
HIGHEST_RATE = 1_000_000  # in Hz; the filter of two odd rates has some 12 weights for each sample of a second


class Resampler:
    """From one rate to another, in Hz; a fraction of a Hz is cut off, as by Kaldi.

    Args:
        cutoff: highest frequency that is kept, in Hz; at most half of both rates.
        num_zeros: zero crossings on each side of the filter, Z.

    Raises:
        KaldiError: rates out of range.
    """

    def __init__(self, old_rate: float, new_rate: float, cutoff: float, num_zeros: int = NUM_ZEROS) -> None:
        for rate in (old_rate, new_rate):
            if not 1 <= rate <= HIGHEST_RATE:
                raise KaldiError(f"cannot resample from {old_rate:g} Hz to {new_rate:g} Hz: {rate:g} is out of range")
        old, new = int(old_rate), int(new_rate)
        self._step, self._phases = old // math.gcd(old, new), new // math.gcd(old, new)
        self._firsts, self._lasts, self._weights = _filter(old, new, self._phases, float(np.float32(cutoff)), num_zeros)

    def length(self, num_samples: int) -> int:
        """Samples at the new rate of a waveform of ``num_samples`` at the old one."""
        return -(-num_samples * self._phases // self._step)

    def ready(self, num_samples: int) -> int:
        """How many samples at the new rate do not depend on more than the first ``num_samples`` at the old one."""
        units = -((self._lasts - num_samples) // self._step)  # of each phase: u * step + last < num_samples
        return int(np.maximum(units, 0).sum())

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """The samples [first, last) at the old rate that [begin, end) at the new one, not empty, are made of.

        They may lie before or after those of the waveform.
        """
        first = begin // self._phases * self._step + self._firsts[begin % self._phases]
        last = (end - 1) // self._phases * self._step + self._lasts[(end - 1) % self._phases]
        return int(first), int(last) + 1

    def __call__(self, samples: np.ndarray, begin: int, end: int, offset: int = 0) -> np.ndarray:
        """Samples [begin, end) at the new rate, float32, of those from ``offset`` on at the old one.

        What is not among ``samples`` counts as zero.
        """
        filter_ = self._firsts, self._lasts, self._weights, self._step
        made: np.ndarray = _csrc.resample(samples, offset, begin, end, *filter_)
        return made


def _filter(
    old: int, new: int, phases: int, cutoff: float, num_zeros: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First and last sample of each phase's window, and its weights [phases, taps]; rounded where Kaldi does."""
    width = num_zeros / (2 * cutoff)
    times = np.arange(phases) / new
    firsts = np.ceil((times - width) * old).astype(np.int64)
    lasts = np.floor((times + width) * old).astype(np.int64)
    indexes = firsts[:, np.newaxis] + np.arange((lasts - firsts).max() + 1)
    t = (indexes / old - times[:, np.newaxis]).astype(np.float32).astype(np.float64)
    return firsts, lasts, windowed_sinc(t, cutoff, num_zeros) / np.float32(old)


def windowed_sinc(t: np.ndarray, cutoff: float, num_zeros: int) -> np.ndarray:
    """h at times in seconds, which are single precision numbers as float64; float32."""
    width = num_zeros / (2 * cutoff)
    window = np.where(np.abs(t) < width, 0.5 * (1 + np.cos(2 * np.pi * cutoff / num_zeros * t)), 0)
    sinc = np.where(t == 0, 2 * cutoff, np.sin(2 * np.pi * cutoff * t) / (np.pi * np.where(t == 0, 1, t)))
    made: np.ndarray = sinc.astype(np.float32) * window.astype(np.float32)
    return made


@lru_cache(maxsize=8)
def recording_resampler(old_rate: float, new_rate: float) -> Resampler:
    """Of whole recordings (ResampleWaveform): it keeps 99 % of the lower rate's band."""
    return Resampler(old_rate, new_rate, 0.99 * 0.5 * min(old_rate, new_rate))


@lru_cache(maxsize=8)
def stream_resampler(old_rate: float, new_rate: float) -> Resampler:
    """Of what comes in piece by piece (feat/online-feature.cc): it keeps all of the lower rate's band."""
    return Resampler(old_rate, new_rate, 0.5 * min(old_rate, new_rate))


def resampled(waveform: np.ndarray, old_rate: float, new_rate: float) -> np.ndarray:
    """A whole waveform [samples] at another rate, float32. Raises KaldiError for rates out of range."""
    resampler = recording_resampler(old_rate, new_rate)
    return resampler(waveform, 0, resampler.length(len(waveform)))


class ResamplingStream:
    """A waveform at another rate as its samples come in: the same numbers for pieces of any size."""

    def __init__(self, resampler: Resampler) -> None:
        self._resampler = resampler
        self._kept = np.zeros(0, np.float32)  # of the old samples, those that are still needed
        self._offset = 0  # of the first of them
        self._made = 0

    def extend(self, samples: np.ndarray, last: bool) -> np.ndarray:
        """The samples at the new rate that the next ones complete; at the ``last`` ones, all that remain."""
        kept = np.concatenate([self._kept, samples])
        received = self._offset + len(kept)
        end = self._resampler.length(received) if last else self._resampler.ready(received)
        made = self._resampler(kept, self._made, end, self._offset)
        needed, _ = self._resampler.span(end, end + 1)
        passed = min(max(0, needed - self._offset), len(kept))
        self._kept, self._offset, self._made = kept[passed:], self._offset + passed, end
        return made
