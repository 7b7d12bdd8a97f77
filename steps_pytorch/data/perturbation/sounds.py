"""Recorded noises or impulse responses, of which one is drawn at a time."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.audio_perturbation import soxr_resampled
from kaldi_bridge.tables.scp import read_script
from steps_pytorch.data.recordings import read_recording

MOST_KEPT = 1 << 26  # samples kept in memory by a process


class Sounds:
    """The sounds of a wav.scp, or of all *.wav in a directory and those below it; the first channel counts.

    Args:
        sample_frequency: to which they are resampled.
        longest: at most so many samples of each are used.
    """

    def __init__(self, path: str | os.PathLike[str], sample_frequency: float, longest: int = 1 << 22) -> None:
        """Raises KaldiError where there are none. They are read when they are drawn."""
        self._sample_frequency, self.longest = sample_frequency, longest
        if Path(path).is_dir():
            self._files = sorted(str(file) for file in Path(path).rglob("*.wav"))
        else:
            self._files = list(read_script(os.fspath(path)).values())
        if not self._files:
            raise KaldiError(f"no sounds in {os.fspath(path)}: expected a wav.scp, or a directory of .wav files")
        self._kept: dict[str, np.ndarray] = {}
        self._num_kept = 0

    def draw(self, random: np.random.Generator) -> np.ndarray:
        """float32 [samples], not empty. Raises KaldiError where it cannot be read."""
        file = self._files[int(random.integers(len(self._files)))]
        sound = self._kept.get(file)
        if sound is None:
            wave = read_recording(file)
            sound = soxr_resampled(wave.data[:1], wave.sample_frequency, self._sample_frequency)[0, : self.longest]
            if not len(sound):
                raise KaldiError(f"{file} is empty")
            if self._num_kept + len(sound) > MOST_KEPT:
                self._kept.clear()
                self._num_kept = 0
            self._kept[file] = sound
            self._num_kept += len(sound)
        return sound

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_kept": {}, "_num_kept": 0}
