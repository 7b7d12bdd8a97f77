"""Features computed on the fly from recordings, which may be perturbed before.

Only the frames of a chunk are computed; without dither they are those of the whole utterance.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.audio_perturbation import with_speed
from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.options import FbankOptions, MfccOptions, WaveformOptions
from kaldi_bridge.io.wave import Wave
from steps_pytorch.data.feature_sources import clipped
from steps_pytorch.data.perturbation.base import Perturbation
from steps_pytorch.data.recordings import Recordings

REACH = 512  # samples that a change of speed looks at on each side, more than enough


class AudioFeatures:
    """MFCC, filterbank features or samples of a data directory's recordings.

    Args:
        options: Kaldi's; dither is drawn from the chunk's own random numbers.
        perturbations: applied to waveforms in training, one after the other.

    Attributes:
        lengths: frames of each utterance.
        dim: columns.
        bad: why recordings of others cannot be read, by utterance.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        options: MfccOptions | FbankOptions | WaveformOptions,
        perturbations: Sequence[Perturbation] = (),
    ) -> None:
        self._options, self._perturbations = options, list(perturbations)
        self._recordings = Recordings(directory, options)
        self.lengths = {u: options.num_frames(samples) for u, samples in self._recordings.lengths.items()}
        self.bad = self._recordings.bad
        self._exact: FeatureExtractor | None = None
        self.dim = self._extract(np.zeros(options.length_samples, np.float32)).shape[1]

    def length_at(self, utterance: str, speed: float) -> int:
        """Frames of an utterance that is spoken so many times as fast."""
        return self._options.num_frames(int(self._recordings.lengths[utterance] / speed))

    def speed_for(self, utterance: str, frames: int) -> float:
        """The speed at which it has so many frames."""
        samples = frames * self._options.shift_samples
        if self._options.snip_edges:
            samples += self._options.length_samples - self._options.shift_samples
        return self._recordings.lengths[utterance] / (samples + 0.5)

    def frames(
        self, utterance: str, first: int, count: int, random: np.random.Generator | None, speed: float = 1.0
    ) -> np.ndarray:
        """As of a FeatureSource. With a ``speed``, frames are counted in the faster or slower utterance."""
        length = self.length_at(utterance, speed)
        if length <= 0:
            raise KaldiError("the recording is shorter than a frame")
        start, read, places = clipped(first, count, length)
        begin = self._options.first_sample(start)
        end = self._options.first_sample(start + read - 1) + self._options.length_samples
        rows = self._extract(self._waveform(utterance, begin, end, speed, random))
        return rows[places]

    def _waveform(
        self, utterance: str, begin: int, end: int, speed: float, random: np.random.Generator | None
    ) -> np.ndarray:
        """float32 [end - begin]; beyond the ends of the utterance mirrored, as by Kaldi without --snip-edges."""
        length = int(self._recordings.lengths[utterance] / speed)
        history = max((p.history for p in self._perturbations), default=0) if random is not None else 0
        low, inside, high = max(0, begin - history), max(0, begin), min(length, end)
        samples = self._at_speed(utterance, low, high, speed)
        if random is not None:
            for perturbation in self._perturbations:
                samples = perturbation(samples, random)
            if self._options.dither:
                noise = random.standard_normal(len(samples), dtype=np.float32)
                samples = samples + np.float32(self._options.dither) * noise
        samples = samples[inside - low :]
        return np.pad(samples, (inside - begin, end - high), mode="symmetric") if len(samples) else samples

    def _at_speed(self, utterance: str, low: int, high: int, speed: float) -> np.ndarray:
        if speed == 1.0:
            return self._recordings.samples(utterance, low, high - low)
        # The part may be off by a fraction of a sample from what the whole utterance would give.
        before = min(low, REACH)
        first = round((low - before) * speed)
        last = min(self._recordings.lengths[utterance], math.ceil((high + REACH) * speed))
        part = self._recordings.samples(utterance, first, last - first)
        made = with_speed(Wave(self._recordings.sample_frequency, part[None]), speed).data[0, before:]
        return np.pad(made, (0, max(0, high - low - len(made))))[: high - low]

    def _extract(self, waveform: np.ndarray) -> np.ndarray:
        if self._exact is None:
            self._exact = FeatureExtractor(replace(self._options, snip_edges=True, dither=0.0))
        return self._exact(waveform, self._options.sample_frequency)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_exact": None}
