"""Mean and variance normalization over a window around each frame (feat/feature-functions.cc, SlidingWindowCmn)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError

VARIANCE_FLOOR = 1e-10


@dataclass
class SlidingCmvnOptions:
    """Kaldi's SlidingWindowCmnOptions."""

    cmn_window: int = option(600, "Window in frames for running average CMN computation")
    min_cmn_window: int = option(
        100, "Least window in frames at the beginning of an utterance; only matters with --center=false"
    )
    max_warnings: int = option(5, "Most warnings of floored variances for each utterance (-1: all)")
    norm_vars: bool = option(False, "Normalize variances to one")
    center: bool = option(False, "The window is centered on the frame, where there is room; else it lies before it")

    def check(self) -> None:
        """Raises KaldiError for nonsense."""
        if self.cmn_window < 1:
            raise KaldiError(f"--cmn-window={self.cmn_window} must be positive")
        if self.center and not 0 < self.min_cmn_window <= self.cmn_window:
            raise KaldiError(f"--min-cmn-window={self.min_cmn_window} must be from 1 to --cmn-window={self.cmn_window}")


def sliding_cmvn(feats: np.ndarray, options: SlidingCmvnOptions) -> np.ndarray:
    """Features [frames, dim], frames > 0, normalized, float32."""
    frames = len(feats)
    begins, ends = _windows(frames, options)
    values = feats.astype(np.float64)
    counts = (ends - begins)[:, np.newaxis]
    mean = _sums(values, begins, ends) / counts
    normalized = values - mean
    if options.norm_vars:
        variance = _sums(values**2, begins, ends) / counts - mean**2
        low = (variance < VARIANCE_FLOOR) & (counts > 1)
        if frames > 1:
            _warn(low.sum(axis=1), counts[:, 0], options.max_warnings)
        normalized /= np.sqrt(np.maximum(variance, VARIANCE_FLOOR))
        normalized[counts[:, 0] == 1] = 0
    return normalized.astype(np.float32)


def _windows(frames: int, options: SlidingCmvnOptions) -> tuple[np.ndarray, np.ndarray]:
    """First frame of each frame's window, and its end."""
    t, size = np.arange(frames), options.cmn_window
    begins = t - size // 2 if options.center else t - size
    ends = begins + size if options.center else t + 1
    ends = np.where(begins < 0, ends - begins, ends)
    begins = np.maximum(begins, 0)
    if not options.center:
        ends = np.where(ends > t, np.maximum(t + 1, options.min_cmn_window), ends)
    beyond = np.maximum(ends - frames, 0)
    return np.maximum(begins - beyond, 0), ends - beyond


def _sums(values: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return sums[ends] - sums[begins]


def _warn(floored: np.ndarray, window_frames: np.ndarray, most: int) -> None:
    for number, t in enumerate(np.flatnonzero(floored).tolist()):
        if number == most:
            log.warning("Suppressing the remaining variance flooring warnings. --max-warnings=-1 shows all.")
            break
        log.warning(
            f"Flooring when normalizing variance, floored {floored[t]} elements; num-frames was {window_frames[t]}"
        )
