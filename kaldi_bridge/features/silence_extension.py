"""Recordings with more silence at their end, made of their quietest part.

Copies of it under a Hamming window overlap by half. Source: online2bin/extend-wav-with-silence.cc.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError


@dataclass
class SilenceOptions:
    """How long the silence is, and how its sound is found."""

    extra_silence_length: float = option(5.0, "Seconds of silence that are appended")
    silence_search_length: float = option(0.5, "Seconds at the beginning and the end that silence is searched in")
    silence_extract_length: float = option(0.05, "Seconds of the quietest part; less than --silence-search-length")
    silence_extract_shift: float = option(0.025, "Step of the search in seconds")

    def check(self, rate: float) -> None:
        """Raises KaldiError for values that make no sense at a sampling rate in Hz."""
        if not self.silence_extract_length < self.silence_search_length:
            raise KaldiError("--silence-extract-length must be less than --silence-search-length")
        for name in ("extra_silence_length", "silence_extract_shift"):
            if not 1 <= getattr(self, name) * rate < 1 << 30:
                raise KaldiError(f"--{name.replace('_', '-')}={getattr(self, name):g} is out of range")
        if not self.silence_extract_length * rate >= 2 or not self.silence_search_length * rate < 1 << 30:
            raise KaldiError("--silence-extract-length is too short, or --silence-search-length too long")


def with_silence(samples: np.ndarray, rate: float, options: SilenceOptions) -> np.ndarray:
    """[samples] -> [samples and silence], float32. Raises KaldiError where there is too little to search in."""
    options.check(rate)
    quiet = _quietest(samples, rate, options)
    size = len(quiet)
    half = size // 2
    window = (0.54 - 0.46 * np.cos(2 * np.pi * np.arange(size) / (size - 1))).astype(np.float32)
    extended = np.concatenate([samples, np.zeros(_samples(options.extra_silence_length, rate), np.float32)])
    end = extended[len(samples) - half :]
    end[:half] *= window[half : 2 * half]
    begin = 0
    while begin + size < len(end):
        end[begin : begin + size] += window * quiet
        begin += half
    end[begin:] += (window * quiet)[: len(end) - begin]
    return extended


def _samples(seconds: float, rate: float) -> int:
    return int(np.float32(seconds) * np.float32(rate))


def _quietest(samples: np.ndarray, rate: float, options: SilenceOptions) -> np.ndarray:
    search, size, step = (
        _samples(seconds, rate)
        for seconds in (options.silence_search_length, options.silence_extract_length, options.silence_extract_shift)
    )
    if len(samples) < search:
        raise KaldiError(f"{len(samples)} samples are too few to search {search} of them for silence")
    begins = [*range(0, search - size, step), *range(len(samples) - search, len(samples) - size, step)]
    best = samples[:size]
    least = np.square(best, dtype=np.float64).sum()
    for begin in begins:
        part = samples[begin : begin + size]
        energy = np.square(part, dtype=np.float64).sum()
        if 0 < energy < least:
            best, least = part, energy
    if least == 0:
        log.warning("Zero energy silence being used.")
    return best.astype(np.float32)
