"""Voice activity by energy, for speaker recognition (ivector/voice-activity-detection.cc)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError


@dataclass
class VadEnergyOptions:
    """Kaldi's VadEnergyOptions; all numbers are single precision."""

    vad_energy_threshold: float = option(5.0, "Constant term of the threshold of the energy, the first coefficient")
    vad_energy_mean_scale: float = option(
        0.5, "The mean energy of the utterance times this is added to --vad-energy-threshold"
    )
    vad_frames_context: int = option(0, "Frames on each side of a frame whose energy is looked at, too")
    vad_proportion_threshold: float = option(
        0.6, "A frame is voiced where at least this proportion of the frames looked at exceeds the threshold"
    )

    def check(self) -> None:
        """Raises KaldiError for nonsense."""
        if self.vad_energy_mean_scale < 0:
            raise KaldiError(f"--vad-energy-mean-scale={self.vad_energy_mean_scale:g} must not be negative")
        if self.vad_frames_context < 0:
            raise KaldiError(f"--vad-frames-context={self.vad_frames_context} must not be negative")
        if not 0 < self.vad_proportion_threshold < 1:
            raise KaldiError(f"--vad-proportion-threshold={self.vad_proportion_threshold:g} must be between 0 and 1")


def voiced_frames(feats: np.ndarray, options: VadEnergyOptions) -> np.ndarray:
    """Of features [frames, dim], frames > 0, whose first coefficient is the log energy: bool [frames]."""
    energy = feats[:, 0]
    threshold = np.float32(options.vad_energy_threshold)
    if options.vad_energy_mean_scale:
        total = np.float32(energy.sum(dtype=np.float64))
        threshold += np.float32(options.vad_energy_mean_scale) * total / np.float32(len(energy))
    above = np.concatenate([[0], np.cumsum(energy > threshold)])
    t, context = np.arange(len(energy)), options.vad_frames_context
    begins, ends = np.maximum(t - context, 0), np.minimum(t + context + 1, len(energy))
    least = (ends - begins).astype(np.float32) * np.float32(options.vad_proportion_threshold)
    voiced: np.ndarray = (above[ends] - above[begins]).astype(np.float32) >= least
    return voiced


def speech_segments(voiced: np.ndarray, gap: int, least: int) -> list[tuple[int, int]]:
    """(first frame, end) of speech in bool [frames]: at most ``gap`` frames without voice do not end it.

    What has fewer than ``least`` frames is left out.
    """
    changes = np.flatnonzero(np.diff(np.concatenate([[False], voiced, [False]]).astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for first, end in changes.reshape(-1, 2).tolist():
        if runs and first - runs[-1][1] <= gap:
            first = runs.pop()[0]
        runs.append((first, end))
    return [(first, end) for first, end in runs if end - first >= least]
