"""Pitch as features for speech recognition (feat/pitch-functions.cc, OnlineProcessPitch).

Of correlation n and pitch p of a frame: how surely it is voiced, (1.0001 - n)^0.15 - 1; log p less its mean over a
window, in which frames count as much as they are voiced; its slope, with a little noise, as pitch has steps; and log p.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.features.pitch import PitchOptions
from kaldi_bridge.features.splicing import add_deltas


@dataclass
class PitchProcessingOptions:
    """Kaldi's ProcessPitchOptions."""

    pitch_scale: float = option(2.0, "Factor of the normalized log pitch")
    pov_scale: float = option(2.0, "Factor of the feature of voicing")
    pov_offset: float = option(0.0, "Offset of the feature of voicing, in place of CMN where decoding is online")
    delta_pitch_scale: float = option(10.0, "Factor of the slope of log pitch")
    delta_pitch_noise_stddev: float = option(
        0.005, "Standard deviation of noise that is added to the slope, about the step of pitch"
    )
    normalization_left_context: int = option(75, "Frames before that the mean of log pitch is taken over")
    normalization_right_context: int = option(75, "Frames after that the mean of log pitch is taken over")
    delta_window: int = option(2, "Frames on each side that a slope is computed from")
    delay: int = option(0, "Frames by which features are delayed")
    add_pov_feature: bool = option(True, "Have the feature of voicing")
    add_normalized_log_pitch: bool = option(True, "Have log pitch less its mean")
    add_delta_pitch: bool = option(True, "Have the slope of log pitch")
    add_raw_log_pitch: bool = option(False, "Have log pitch")

    @property
    def dim(self) -> int:
        """Of the features."""
        return self.add_pov_feature + self.add_normalized_log_pitch + self.add_delta_pitch + self.add_raw_log_pitch

    def check(self) -> None:
        """Raises KaldiError for nonsense."""
        if not self.dim:
            raise KaldiError("At least one of the pitch features should be chosen: see --add-pov-feature and its like")
        for name in ("normalization_left_context", "normalization_right_context", "delay"):
            if not 0 <= getattr(self, name) < 1 << 24:
                raise KaldiError(f"--{name.replace('_', '-')}={getattr(self, name)} must not be negative")
        if not 1 <= self.delta_window < 1000:
            raise KaldiError(f"--delta-window={self.delta_window} must be positive")


@dataclass
class PitchFeatureOptions(PitchProcessingOptions, PitchOptions):
    """Of pitch and of the features that are made of it, as one file of options has both."""

    def check(self) -> None:
        """Raises KaldiError for nonsense."""
        PitchOptions.check(self)
        PitchProcessingOptions.check(self)


class PitchSource(Protocol):
    """Correlation and pitch of frames."""

    @property
    def finished(self) -> bool:
        """Whether no more frames will come."""

    @property
    def num_ready(self) -> int:
        """Frames that are there."""

    def frames(self, begin: int, end: int) -> np.ndarray:
        """[end - begin, 2]: correlation, and pitch in Hz."""


class WholePitch:
    """All of it, [frames, 2]. Raises KaldiError for anything else, or pitch that is not positive."""

    finished = True

    def __init__(self, feats: np.ndarray) -> None:
        if feats.ndim != 2 or feats.shape[1] != 2:
            raise KaldiError(f"pitch features must have two dimensions (correlation and Hz), not {feats.shape[1]}")
        if not (feats[:, 1] > 0).all():
            raise KaldiError("there is a pitch that is not positive: the second dimension must be in Hz")
        self._feats = feats
        self.num_ready = len(feats)

    def frames(self, begin: int, end: int) -> np.ndarray:
        """[end - begin, 2]."""
        return self._feats[begin:end]


class ProcessedPitch:
    """Features of one utterance, whose pitch may still be coming.

    Args:
        random: what the noise is drawn from, one number for each frame.
    """

    def __init__(self, options: PitchProcessingOptions, source: PitchSource, random: CRandom) -> None:
        options.check()
        self._options, self._source, self._random = options, source, random
        self._noise = np.zeros(0, np.float32)

    @property
    def num_ready(self) -> int:
        """Frames that the context they need is there for."""
        ready, options = self._source.num_ready, self._options
        if not ready:
            return 0
        return max(0, ready + options.delay - (0 if self._source.finished else options.normalization_right_context))

    def frames(self, begin: int, end: int) -> np.ndarray:
        """float32 [end - begin, dim], as known by now."""
        options = self._options
        if end <= begin:
            return np.zeros((0, options.dim), np.float32)
        wanted = np.maximum(np.arange(begin, end) - options.delay, 0)
        before = max(options.normalization_left_context, options.delta_window)
        after = max(options.normalization_right_context, options.delta_window)
        first = max(0, int(wanted[0]) - before)
        raw = self._source.frames(first, min(self._source.num_ready, int(wanted[-1]) + 1 + after))
        log_pitch: np.ndarray = _csrc.logarithms(raw[:, 1])
        wanted -= first
        columns = []
        if options.add_pov_feature:
            voicing = voicing_feature(raw[wanted, 0])
            columns.append(np.float32(options.pov_scale) * voicing + np.float32(options.pov_offset))
        if options.add_normalized_log_pitch:
            means = self._means(raw[:, 0], log_pitch, wanted)
            columns.append((log_pitch[wanted] - means) * np.float32(options.pitch_scale))
        if options.add_delta_pitch:
            slopes = add_deltas(log_pitch[:, np.newaxis], 1, options.delta_window)[wanted, 1]
            columns.append((slopes + self._noise_of(wanted + first)) * np.float32(options.delta_pitch_scale))
        if options.add_raw_log_pitch:
            columns.append(log_pitch[wanted])
        return np.column_stack(columns).astype(np.float32, copy=False)

    def _means(self, correlations: np.ndarray, log_pitch: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        weights = voicing_probability(correlations)
        sums = np.zeros((len(weights) + 1, 2))
        np.cumsum(np.column_stack([weights, weights * log_pitch]), axis=0, dtype=np.float64, out=sums[1:])
        begins = np.maximum(wanted - self._options.normalization_left_context, 0)
        ends = np.minimum(wanted + self._options.normalization_right_context + 1, len(weights))
        of_window = sums[ends] - sums[begins]
        made: np.ndarray = (of_window[:, 1] / of_window[:, 0]).astype(np.float32)
        return made

    def _noise_of(self, wanted: np.ndarray) -> np.ndarray:
        missing = int(wanted[-1]) + 1 - len(self._noise)
        if missing > 0:
            drawn = self._random.gaussians(missing) * np.float32(self._options.delta_pitch_noise_stddev)
            self._noise = np.concatenate([self._noise, drawn])
        return self._noise[wanted]


def voicing_feature(correlations: np.ndarray) -> np.ndarray:
    """float32, about normally distributed (NccfToPovFeature)."""
    made: np.ndarray = (1.0001 - np.clip(correlations, -1, 1).astype(np.float64)) ** 0.15 - 1.0
    return made.astype(np.float32)


def voicing_probability(correlations: np.ndarray) -> np.ndarray:
    """float32, about the probability that a frame is voiced (NccfToPov)."""
    n = np.minimum(np.abs(correlations), 1).astype(np.float64)
    odds = -5.2 + 5.4 * np.exp(7.5 * (n - 1)) + 4.8 * n - 2 * np.exp(-10 * n) + 4.2 * np.exp(20 * (n - 1))
    made: np.ndarray = (1 / (1 + np.exp(-odds.astype(np.float32).astype(np.float64)))).astype(np.float32)
    return made
