"""Pitch where a tracker found none (0 Hz), and smoothed elsewhere (featbin/interpolate-pitch.cc).

Features are [frames, 2]: probability of voicing, pitch in Hz. By default pitch is the best path of a Viterbi search
over steps of pitch: changes by d Hz cost d^2 / 2, and a frame that is voiced with probability p has the pitch that was
observed with probability p, any pitch with (1 - p) times a small factor. A little noise breaks ties.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom, normal_matrix
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc

NOISE = np.float32(0.01)
MOST_STEPS = 100_000


@dataclass
class PitchInterpolationOptions:
    """Kaldi's PitchInterpolatorOptions."""

    pitch_interval: float = option(4.0, "Steps of pitch in Hz")
    interpolator_factor: float = option(1.0e-05, "The closer to zero, the closer the pitch is to what was measured")
    max_voicing_prob: float = option(0.9, "Probability of voicing where 1 was observed")
    max_pitch_change_per_frame: float = option(10.0, "Most Hz from frame to frame; larger only takes longer")

    def check(self) -> None:
        """Raises KaldiError for nonsense."""
        if not 0 < self.pitch_interval < 20 or not self.max_pitch_change_per_frame > 2 * self.pitch_interval:
            raise KaldiError("--pitch-interval must be from 0 to 20 and less than half of --max-pitch-change-per-frame")
        if not 0 < self.interpolator_factor < 1 or not 0.5 <= self.max_voicing_prob <= 1:
            raise KaldiError("--interpolator-factor must be from 0 to 1, --max-voicing-prob from 0.5 to 1")


class PitchInterpolator:
    """Interpolates and smooths, and counts. Raises KaldiError at construction for bad options."""

    def __init__(self, options: PitchInterpolationOptions, random: CRandom) -> None:
        options.check()
        self._options, self._random = options, random
        self._frames = self._zero = self._changed = 0

    def __call__(self, feats: np.ndarray) -> np.ndarray:
        """Features [frames, 2], with another pitch. Raises KaldiError for others, or a pitch out of range."""
        _check(feats)
        interval = np.float32(self._options.pitch_interval)
        pitch = feats[:, 1]
        voiced = pitch != 0
        low, high = (pitch[voiced].min(), pitch[voiced].max()) if voiced.any() else (np.float32(100), np.float32(100))
        if high <= low + 2 * interval:
            high = low + 2 * interval
        steps = int(np.floor(float((high - low) / interval) + 0.5)) + 2
        if not 3 <= steps <= MOST_STEPS:
            raise KaldiError(f"pitch from {low:g} to {high:g} Hz in steps of {interval:g} Hz")
        bottoms = low - interval * self._random.uniforms(len(feats))
        observed = np.where(voiced, np.floor(((pitch - bottoms) / interval).astype(np.float64) + 0.5), 0).astype(int)
        probability = np.where(voiced, feats[:, 0] * np.float32(self._options.max_voicing_prob), np.float32(0))
        path = self._best_path(steps, bottoms, observed, probability)
        self._frames += len(feats)
        self._zero += int((observed == 0).sum())
        self._changed += int(((observed != 0) & (path != observed)).sum())
        return np.column_stack([feats[:, 0], bottoms + interval * path.astype(np.float32)])

    def report(self) -> None:
        """Logs the counts."""
        zero, changed = (100 * count / max(self._frames, 1) for count in (self._zero, self._changed))
        log.info(
            f"Over {self._frames} frames, {zero:g}% were zero at input, and {changed:g}% were not zero but were "
            "changed."
        )

    def _best_path(self, steps: int, bottoms: np.ndarray, observed: np.ndarray, probability: np.ndarray) -> np.ndarray:
        """The step of each frame."""
        interval = np.float32(self._options.pitch_interval)
        anywhere = ((1 - probability.astype(np.float64)) * self._options.interpolator_factor).astype(np.float32)
        there = _csrc.logarithms((probability + anywhere) / anywhere)
        anywhere = _csrc.logarithms(anywhere)
        reach = min(int(np.floor(self._options.max_pitch_change_per_frame / self._options.pitch_interval + 0.5)), steps)
        sources = np.arange(steps)[:, np.newaxis] + np.arange(-reach, reach + 1)
        inside = (sources >= 0) & (sources < steps)
        sources = sources.clip(0, steps - 1)
        scores, previous = np.zeros(steps, np.float32), np.zeros((len(bottoms), steps), np.int32)
        for t in range(len(bottoms)):
            if t > 0:
                before, now = (bottoms[s] + np.arange(steps, dtype=np.float32) * interval for s in (t - 1, t))
                change = (before[sources] - now[:, np.newaxis]).astype(np.float64)
                ways = np.where(inside, (scores[sources] - 0.5 * change * change).astype(np.float32), -np.inf)
                best = ways.argmax(axis=1)
                scores, previous[t] = ways[np.arange(steps), best], sources[np.arange(steps), best]
            scores = scores + anywhere[t]
            scores[observed[t]] += there[t]
            scores = scores + NOISE * normal_matrix(1, steps, self._random)[0]
        path = np.zeros(len(bottoms), np.int64)
        best_step = int(scores.argmax())
        for t in range(len(bottoms) - 1, -1, -1):
            path[t] = best_step
            best_step = int(previous[t, best_step])
        return path


def interpolated_linearly(feats: np.ndarray) -> np.ndarray:
    """Features [frames, 2] with straight lines where pitch is 0; towards the ends it goes to 0.9 of the last value."""
    _check(feats)
    made = feats.copy()
    pitch, count = made[:, 1], len(made)
    begin = 0
    while begin < count:
        if pitch[begin] != 0:
            begin += 1
            continue
        end = begin
        while end < count and pitch[end] == 0:
            end += 1
        start = float(pitch[begin - 1]) if begin > 1 else -1.0  # as in Kaldi, not of the first frame
        stop = float(pitch[end]) if end < count else -1.0
        if start < 0 and stop < 0:
            start = stop = 1.0
        start = 0.9 * stop if start < 0 else start
        stop = 0.9 * start if stop < 0 else stop
        pitch[begin:end] = start + (stop - start) / (end - begin + 1) * np.arange(1, end - begin + 1)
        begin = end
    return made


def _check(feats: np.ndarray) -> None:
    if feats.ndim != 2 or feats.shape[1] != 2 or not np.isfinite(feats).all() or (feats[:, 1] < 0).any():
        raise KaldiError("features must have two dimensions: probability of voicing, and pitch in Hz, 0 where unknown")
