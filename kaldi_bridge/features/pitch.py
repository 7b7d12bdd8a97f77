"""Pitch, and how much like itself a waveform is after a period of it (feat/pitch-functions.cc; csrc/pitch.h).

Waveforms are float arrays at the scale of 16-bit integers; features are [frames, 2], float32: normalized
cross-correlation, and pitch in Hz, which is one of a geometric progression.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.features.resampling import Resampler, ResamplingStream, windowed_sinc

MOST_LAGS = 100_000


@dataclass
class PitchOptions:
    """Kaldi's PitchExtractionOptions."""

    sample_frequency: float = option(16000.0, "Sampling rate of the waveform in Hz; the file must agree")
    frame_length: float = option(25.0, "Frame length in milliseconds")
    frame_shift: float = option(10.0, "Frame shift in milliseconds")
    preemphasis_coefficient: float = option(0.0, "Coefficient of pre-emphasis (deprecated)")
    min_f0: float = option(50.0, "Lowest pitch to search for in Hz")
    max_f0: float = option(400.0, "Highest pitch to search for in Hz")
    soft_min_f0: float = option(10.0, "Lowest pitch, applied in a soft way; must not exceed --min-f0")
    penalty_factor: float = option(0.1, "Cost factor of changes of pitch")
    lowpass_cutoff: float = option(1000.0, "Cutoff frequency of the lowpass filter in Hz")
    resample_frequency: float = option(
        4000.0, "Rate in Hz that the signal is resampled to; more than twice --lowpass-cutoff"
    )
    delta_pitch: float = option(0.005, "Smallest relative change of pitch that is measured")
    nccf_ballast: float = option(7000.0, "The larger, the lower the correlation of quiet frames")
    nccf_ballast_online: bool = option(False, "The ballast grows with each frame, not with each piece (for tests)")
    lowpass_filter_width: int = option(1, "Width of the lowpass filter; larger is sharper")
    upsample_filter_width: int = option(5, "Width of the filter that correlations are interpolated by")
    frames_per_chunk: int = option(
        0, "If nonzero, the signal comes in pieces of so many frames, as online; it affects the normalization of energy"
    )
    simulate_first_pass_online: bool = option(
        False, "Features as an online decoder has them in its first pass, not final ones; needs --frames-per-chunk"
    )
    recompute_frame: int = option(
        500, "Frame at which costs are computed anew with what is known of the energy by then"
    )
    max_frames_latency: int = option(0, "Most frames that a first pass waits until paths have met")
    snip_edges: bool = option(True, "Only frames that fit into the file whole; else its length over the shift")

    @property
    def chunk_samples(self) -> int:
        """Samples in a piece of ``frames_per_chunk`` frames."""
        return int(np.float32(self.frames_per_chunk * np.float32(self.sample_frequency) * self.frame_shift) / 1000)

    def check(self) -> None:
        """Raises KaldiError for nonsense."""
        for name in ("sample_frequency", "min_f0", "max_f0", "penalty_factor", "lowpass_cutoff", "delta_pitch"):
            if not 0 < getattr(self, name) < math.inf:
                raise KaldiError(f"--{name.replace('_', '-')}={getattr(self, name):g} must be positive")
        if not self.min_f0 < self.max_f0:
            raise KaldiError(f"--min-f0={self.min_f0:g} must be less than --max-f0={self.max_f0:g}")
        if math.log(self.max_f0 / self.min_f0) > MOST_LAGS * math.log1p(self.delta_pitch):
            raise KaldiError(f"--delta-pitch={self.delta_pitch:g} is too small for such a range of pitch")
        if not 2 * self.lowpass_cutoff < min(self.resample_frequency, self.sample_frequency + 1e-3):
            raise KaldiError(
                f"--lowpass-cutoff={self.lowpass_cutoff:g} must be less than half of --resample-frequency="
                f"{self.resample_frequency:g} and of --sample-frequency={self.sample_frequency:g}"
            )
        if self.lowpass_filter_width < 1 or self.upsample_filter_width < 1:
            raise KaldiError("--lowpass-filter-width and --upsample-filter-width must be positive")
        if not 1 <= self.resample_frequency * self.frame_shift / 1000 < 1e7:
            raise KaldiError(f"--frame-shift={self.frame_shift:g} is out of range")
        if not 1 <= self.resample_frequency * self.frame_length / 1000 < 1e7:
            raise KaldiError(f"--frame-length={self.frame_length:g} is out of range")
        if self.frames_per_chunk < 0 or (self.simulate_first_pass_online and not self.frames_per_chunk):
            raise KaldiError(
                "--simulate-first-pass-online option does not make sense unless you specify --frames-per-chunk"
            )


class Frames(Protocol):
    """Features of a waveform that is coming in."""

    @property
    def num_ready(self) -> int:
        """Frames that are there."""

    def frames(self, begin: int, end: int) -> np.ndarray:
        """Those from ``begin`` to before ``end``, as known by now."""


class PitchExtractor:
    """Makes pitch features of waveforms. Raises KaldiError at construction where an option makes no sense."""

    def __init__(self, options: PitchOptions) -> None:
        options.check()
        self.options = options
        self._resampler = Resampler(
            options.sample_frequency, options.resample_frequency, options.lowpass_cutoff, options.lowpass_filter_width
        )
        self._native = _native_options(options)

    def stream(self) -> PitchStream:
        """For one waveform."""
        return PitchStream(ResamplingStream(self._resampler), _csrc.PitchTracker(self._native))

    def pieces(self, waveform: np.ndarray) -> list[np.ndarray]:
        """Of a waveform, as the options want it to be heard."""
        size = self.options.chunk_samples or max(len(waveform), 1)
        return [waveform[begin : begin + size] for begin in range(0, len(waveform), size)]

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        """waveform [samples] -> [frames, 2]; no rows where it is too short."""
        return self.heard(waveform, lambda stream: stream)

    def heard(self, waveform: np.ndarray, features_of: Callable[[PitchStream], Frames]) -> np.ndarray:
        """``features_of`` the pitch of a waveform [samples], which comes in pieces as the options want it.

        In a first pass, frames are taken as soon as they are ready; else all of them at the end.
        """
        stream = self.stream()
        features, first_pass, known = features_of(stream), [], 0
        pieces = self.pieces(waveform)
        for number, piece in enumerate(pieces, 1):
            stream.accept(piece)
            if number == len(pieces):
                stream.finish()
            ready = features.num_ready  # sometimes fewer than before: paths that had met are given up
            if self.options.simulate_first_pass_online and ready > known:
                first_pass.append(features.frames(known, ready))
                known = ready
        return np.concatenate(first_pass) if first_pass else features.frames(0, features.num_ready)


class PitchStream:
    """Pitch of a waveform as its samples come in; what is known of frames may change until it ends.

    Attributes:
        finished: whether it has ended.
    """

    def __init__(self, resampling: ResamplingStream, tracker: _csrc.PitchTracker) -> None:
        self._resampling, self._tracker = resampling, tracker
        self.finished = False

    def accept(self, samples: np.ndarray) -> None:
        """Takes the next samples."""
        self._tracker.accept(self._resampling.extend(samples, False), False)

    def finish(self) -> None:
        """The waveform ends here."""
        self._tracker.accept(self._resampling.extend(np.zeros(0, np.float32), True), True)
        self.finished = True

    @property
    def num_ready(self) -> int:
        """Frames whose pitch is known."""
        return int(self._tracker.num_ready)

    def frames(self, begin: int, end: int) -> np.ndarray:
        """[end - begin, 2], as known by now."""
        made: np.ndarray = self._tracker.frames(begin, end)
        return made


def _native_options(options: PitchOptions) -> _csrc.PitchOptions:
    rate = float(np.float32(options.resample_frequency))
    lags = _lags(options)
    reach = options.upsample_filter_width / (2 * rate)
    first, last = math.ceil(rate * (1 / options.max_f0 - reach)), math.floor(rate * (1 / options.min_f0 + reach))
    native = _csrc.PitchOptions()
    native.window, native.shift = (int(rate * ms / 1000) for ms in (options.frame_length, options.frame_shift))
    native.first_lag, native.last_lag, native.lags = first, last, lags.tolist()
    growth = np.float32(math.log(1 + float(np.float32(options.delta_pitch))) ** 2)
    native.transition_factor = float(growth * np.float32(options.penalty_factor))
    native.soft_min_f0, native.ballast = options.soft_min_f0, options.nccf_ballast
    native.preemphasis, native.ballast_by_frame = options.preemphasis_coefficient, options.nccf_ballast_online
    native.max_latency, native.recompute_frame = options.max_frames_latency, options.recompute_frame
    native.snip_edges = options.snip_edges
    # Correlations at whole lags are samples of a function without frequencies above half the rate.
    cutoff = float(np.float32(rate * 0.5))
    width = np.float32(options.upsample_filter_width / (2 * cutoff))
    for point in lags + np.float32(-first / rate):
        begin = max(math.ceil(np.float32(rate) * (point - width)), 0)
        end = min(math.floor(np.float32(rate) * (point + width)), last - first) + 1
        times = point - np.arange(begin, end, dtype=np.float32) / np.float32(rate)
        weights = windowed_sinc(times.astype(np.float64), cutoff, options.upsample_filter_width) / np.float32(rate)
        native.interpolate(begin, weights.tolist())
    return native


def _lags(options: PitchOptions) -> np.ndarray:
    """float32 [states], in seconds: those that are searched."""
    lag, longest = np.float32(1 / options.max_f0), np.float32(1 / options.min_f0)
    ratio = 1 + float(np.float32(options.delta_pitch))
    lags = []
    while lag <= longest:
        lags.append(lag)
        lag = np.float32(float(lag) * ratio)
    return np.array(lags, np.float32)
