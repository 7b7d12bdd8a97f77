"""From samples to features: MFCC, filterbanks, PLP, spectrograms, and samples themselves.

Source: feat/feature-common-inl.h, feat/online-feature.cc.

Without dither they are Kaldi's to 1e-4, and the same in pieces of any size. Waveforms are float arrays at the scale of
16-bit integers, as Kaldi reads them; features are [frames, dimensions].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.frames import NO_NOISE, energies, floored_log, window, windowed
from kaldi_bridge.features.kinds import Kind
from kaldi_bridge.features.options import AnyOptions, WaveformOptions
from kaldi_bridge.features.resampling import ResamplingStream, resampled, stream_resampler

BLOCK = 256  # frames that are computed together
SEED = 0  # of dither, which is the same in each process
WARPS = 64  # of vocal tracts, whose mel bins are kept


class FeatureExtractor:
    """Computes one kind of features; safe to use for many waveforms.

    Attributes:
        options: how.
        dim: of the features.

    Raises KaldiError at construction where an option makes no sense (Kaldi would abort).
    """

    def __init__(self, options: AnyOptions) -> None:
        options.check()
        self.options = options
        kind_of: Callable[[float], Kind] = options.kind
        self._kind_of = lru_cache(maxsize=WARPS)(kind_of)
        self._window = window(options.window_type, options.length_samples, options.blackman_coeff)
        self.dim = self._kind_of(1.0).dim
        self._random = np.random.default_rng(SEED)

    def __call__(self, waveform: np.ndarray, sample_frequency: float, warp: float = 1.0) -> np.ndarray:
        """waveform [samples] -> features [frames, dimensions], float32; no rows when it is shorter than a frame.

        Args:
            warp: factor by which the speaker's vocal tract divides frequencies.

        Raises:
            KaldiError: the sampling rate is not the one of the options, nor may be changed to it, or no mel bins can
                be warped so.
        """
        self.options.check_rate(sample_frequency)
        if sample_frequency != self.options.sample_frequency:
            waveform = resampled(waveform, sample_frequency, self.options.sample_frequency)
        return FeatureStream(self, warp=warp).extend(waveform, last=True)

    def stream(self, sample_frequency: float) -> FeatureStream:
        """For a waveform that comes in parts.

        Where its sampling rate is changed, this keeps a little more of it than where it comes as a whole, as in Kaldi.
        Raises KaldiError when it may not be changed.
        """
        wanted = self.options.sample_frequency
        if not self.options.accept(sample_frequency):
            raise KaldiError(
                f"Sampling frequency mismatch, expected {wanted:g}, got {sample_frequency:g}\n"
                "Perhaps you want to use the options --allow_{upsample,downsample}"
            )
        if sample_frequency == wanted:
            return FeatureStream(self)
        return FeatureStream(self, ResamplingStream(stream_resampler(sample_frequency, wanted)))

    def of_samples(self, samples: np.ndarray, count: int, warp: float = 1.0) -> np.ndarray:
        """The features [count, dimensions], float32, of samples, float32, in which the first frame begins at once."""
        options, kind = self.options, self._kind_of(warp)
        made = np.empty((count, self.dim), np.float32)
        for begin in range(0, count, BLOCK):
            end = min(begin + BLOCK, count)
            first = begin * options.shift_samples
            stop = (end - 1) * options.shift_samples + options.length_samples
            made[begin:end] = self._of_block(samples[first:stop], end - begin, kind)
        return made

    def _of_block(self, samples: np.ndarray, count: int, kind: Kind) -> np.ndarray:
        options, noise = self.options, NO_NOISE
        if options.dither:
            noise = self._random.standard_normal((count, options.length_samples), dtype=np.float32)
        padded, raw = windowed(
            samples,
            options.shift_samples,
            count,
            self._window,
            options.transform_samples,
            options.preemphasis_coefficient,
            options.remove_dc_offset,
            noise,
            options.dither,
        )
        energy = None
        if not isinstance(options, WaveformOptions) and options.use_energy:
            energy = floored_log(raw if options.raw_energy else energies(padded))
            if options.energy_floor > 0:
                energy = np.maximum(energy, np.float32(math.log(options.energy_floor)))
        return kind.features(padded, energy)


class FeatureStream:
    """The features of one waveform as its samples come in.

    Args:
        resampling: to the rate of the features, of samples at another.
        warp: of frequencies, by the speaker's vocal tract.

    Attributes:
        num_ready: frames until now.
    """

    def __init__(
        self, extractor: FeatureExtractor, resampling: ResamplingStream | None = None, warp: float = 1.0
    ) -> None:
        self._extractor, self._resampling, self._warp = extractor, resampling, warp
        self._kept = np.zeros(0, np.float32)  # of the samples, those that are still needed
        self._offset = 0  # of the first of them
        self.num_ready = 0

    def extend(self, samples: np.ndarray, last: bool) -> np.ndarray:
        """The frames [frames, dimensions] that the next samples complete; at the ``last`` ones, all that remain."""
        if self._resampling is not None:
            samples = self._resampling.extend(samples, last)
        kept = np.concatenate([self._kept, samples]).astype(np.float32, copy=False)
        options = self._extractor.options
        begin, end = self.num_ready, options.num_frames(self._offset + len(kept), last)
        if end <= begin:
            self._kept = kept
            return np.zeros((0, self._extractor.dim), np.float32)
        feats = self._extractor.of_samples(self._samples(kept, begin, end), end - begin, self._warp)
        passed = min(max(0, options.first_sample(end) - self._offset), len(kept))
        self._kept, self._offset, self.num_ready = kept[passed:], self._offset + passed, end
        return feats

    def _samples(self, kept: np.ndarray, begin: int, end: int) -> np.ndarray:
        """Those of frames [begin, end), of the samples from the offset on; beyond their ends they are mirrored."""
        options = self._extractor.options
        first = options.first_sample(begin) - self._offset
        stop = options.first_sample(end - 1) + options.length_samples - self._offset
        before, after = max(0, -first), max(0, stop - len(kept))
        if before or after:
            kept = np.pad(kept, (before, after), mode="symmetric")
        return kept[first + before : stop + before]
