"""MFCC and filterbank features with Kaldi's options (feat/feature-mfcc.cc, feat/feature-fbank.cc).

Without dither they are Kaldi's to 1e-4, and the same in pieces of any size. Waveforms are float arrays at the scale of
16-bit integers, as Kaldi reads them; features are [frames, dimensions].
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.frames import (
    WINDOWS,
    emphasize,
    energies,
    floored_log,
    power_spectra,
    window,
    without_offset,
)
from kaldi_bridge.features.kinds import Cepstra, FilterBanks, Kind
from kaldi_bridge.features.mel import mel_banks
from kaldi_bridge.features.resampling import ResamplingStream, resampled, stream_resampler

BLOCK = 256  # frames that are computed together
SEED = 0  # of dither, which is the same in each process


@dataclass
class FrameOptions:
    """How a waveform is cut into frames (feat/feature-window.h) and mel bins laid out (feat/mel-computations.h)."""

    sample_frequency: float = option(16000.0, "Sampling rate of the waveform in Hz; the file must agree")
    allow_downsample: bool = option(False, "Resample recordings that have a higher sampling rate")
    allow_upsample: bool = option(False, "Resample recordings that have a lower sampling rate")
    frame_length: float = option(25.0, "Frame length in milliseconds")
    frame_shift: float = option(10.0, "Frame shift in milliseconds")
    preemphasis_coefficient: float = option(0.97, "Coefficient of the pre-emphasis filter")
    remove_dc_offset: bool = option(True, "Subtract each frame's mean from it")
    dither: float = option(
        1.0, "Amplitude of the random noise added to each sample; 0 for none, then set --energy-floor"
    )
    window_type: str = option("povey", 'Window shape ("hamming"|"hanning"|"povey"|"rectangular"|"sine"|"blackmann")')
    blackman_coeff: float = option(0.42, "Constant of the generalized Blackman window")
    round_to_power_of_two: bool = option(True, "Zero-pad each frame to a power of two before the FFT")
    snip_edges: bool = option(
        True,
        "Only frames that fit into the file whole; otherwise the file's length over the shift, with its ends mirrored",
    )
    num_mel_bins: int = option(23, "Number of triangular mel bins")
    low_freq: float = option(20.0, "Lower edge of the mel bins in Hz")
    high_freq: float = option(0.0, "Upper edge of the mel bins in Hz; <= 0 counts from half the sampling rate")

    @property
    def shift_samples(self) -> int:
        return int(self.sample_frequency * 0.001 * self.frame_shift)

    @property
    def length_samples(self) -> int:
        return int(self.sample_frequency * 0.001 * self.frame_length)

    @property
    def transform_samples(self) -> int:
        """Of a frame with the zeros that are appended for its Fourier transform."""
        return 1 << (self.length_samples - 1).bit_length() if self.round_to_power_of_two else self.length_samples

    @property
    def highest_freq(self) -> float:
        """Upper edge of the mel bins in Hz."""
        return self.high_freq if self.high_freq > 0 else self.sample_frequency / 2 + self.high_freq

    def num_frames(self, num_samples: int, complete: bool = True) -> int:
        """Frames of a waveform; where it is not ``complete``, those that do not depend on what follows."""
        inside = max(0, 1 + (num_samples - self.length_samples - self.first_sample(0)) // self.shift_samples)
        if self.snip_edges:
            return inside
        total = (num_samples + self.shift_samples // 2) // self.shift_samples
        return total if complete else min(inside, total)

    def first_sample(self, frame: int) -> int:
        """Where a frame begins; may be negative without ``snip_edges``."""
        begin = frame * self.shift_samples
        return begin if self.snip_edges else begin + self.shift_samples // 2 - self.length_samples // 2

    def accept(self, rate: float) -> bool:
        """Whether a waveform at this rate in Hz has the ``sample_frequency``, or may be resampled."""
        wanted = self.sample_frequency
        return rate == wanted or (self.allow_downsample if rate > wanted else self.allow_upsample)

    def check_rate(self, rate: float) -> None:
        """Raises KaldiError where ``accept`` is false."""
        if not self.accept(rate):
            direction = "down" if rate > self.sample_frequency else "up"
            raise KaldiError(
                f"Waveform and config sample Frequency mismatch: {rate:g} .vs {self.sample_frequency:g} "
                f"(use --allow-{direction}sample=true to allow {direction}sampling the waveform)"
            )


@dataclass
class MfccOptions(FrameOptions):
    """Kaldi's MFCC options (feat/feature-mfcc.h)."""

    num_ceps: int = option(13, "Number of cepstra, C0 included")
    use_energy: bool = option(True, "Energy instead of C0")
    energy_floor: float = option(0.0, "Floor on the energy, absolute; only matters with --use-energy")
    raw_energy: bool = option(True, "Compute the energy before pre-emphasis and windowing")
    cepstral_lifter: float = option(22.0, "Scaling of the cepstra")
    htk_compat: bool = option(False, "Energy or C0 last, C0 scaled by sqrt(2)")

    def kind(self) -> Kind:
        """What is made of power spectra. Raises KaldiError where the options make no sense together."""
        return Cepstra(self.num_ceps, self.num_mel_bins, self.cepstral_lifter, self.use_energy, self.htk_compat)


@dataclass
class FbankOptions(FrameOptions):
    """Kaldi's filterbank options (feat/feature-fbank.h)."""

    use_energy: bool = option(False, "Put the energy in front as one more dimension")
    energy_floor: float = option(0.0, "Floor on the energy, absolute; only matters with --use-energy")
    raw_energy: bool = option(True, "Compute the energy before pre-emphasis and windowing")
    htk_compat: bool = option(False, "Energy last")
    use_log_fbank: bool = option(True, "Logarithm of the filterbank, else linear")
    use_power: bool = option(True, "Power spectrum, else magnitude")

    def kind(self) -> Kind:
        """What is made of power spectra."""
        return FilterBanks(
            self.num_mel_bins, self.use_energy, self.htk_compat, use_log=self.use_log_fbank, use_power=self.use_power
        )


class FeatureExtractor:
    """Computes one kind of features; safe to use for many waveforms.

    Raises KaldiError at construction where an option makes no sense (Kaldi would abort).
    """

    def __init__(self, options: MfccOptions | FbankOptions) -> None:
        check_options(options)
        self.options = options
        self._kind = options.kind()
        self._window = window(options.window_type, options.length_samples, options.blackman_coeff)
        bins, size = options.num_mel_bins, options.transform_samples
        self._banks = mel_banks(bins, options.low_freq, options.highest_freq, options.sample_frequency, size)
        self._random = np.random.default_rng(SEED)

    @property
    def dim(self) -> int:
        """Of the features."""
        return self._kind.dim

    def __call__(self, waveform: np.ndarray, sample_frequency: float) -> np.ndarray:
        """waveform [samples] -> features [frames, dimensions], float32; no rows when it is shorter than a frame.

        Raises KaldiError when its sampling rate is not the one of the options, nor may be changed to it.
        """
        self.options.check_rate(sample_frequency)
        if sample_frequency != self.options.sample_frequency:
            waveform = resampled(waveform, sample_frequency, self.options.sample_frequency)
        return FeatureStream(self).extend(waveform, last=True)

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

    def of_frames(self, frames: np.ndarray) -> np.ndarray:
        """Samples of frames, [frames, samples] float32 -> [frames, dimensions], float32."""
        made = np.empty((len(frames), self.dim), np.float32)
        for begin in range(0, len(frames), BLOCK):
            made[begin : begin + BLOCK] = self._of_block(frames[begin : begin + BLOCK])
        return made

    def _of_block(self, frames: np.ndarray) -> np.ndarray:
        options = self.options
        if options.dither:
            noise = self._random.standard_normal(frames.shape, dtype=np.float32)
            frames = frames + np.float32(options.dither) * noise
        frames = without_offset(frames) if options.remove_dc_offset else frames.copy()
        raw = energies(frames) if options.raw_energy and options.use_energy else None
        emphasize(frames, options.preemphasis_coefficient)
        padded = np.zeros((len(frames), options.transform_samples), np.float32)
        np.multiply(frames, self._window, out=padded[:, : options.length_samples])
        energy = None
        if options.use_energy:
            energy = floored_log(energies(padded) if raw is None else raw)
            if options.energy_floor > 0:
                energy = np.maximum(energy, np.float32(math.log(options.energy_floor)))
        return self._kind.features(power_spectra(padded), self._banks, energy)


class FeatureStream:
    """The features of one waveform as its samples come in.

    Args:
        resampling: to the rate of the features, of samples at another.

    Attributes:
        num_ready: frames until now.
    """

    def __init__(self, extractor: FeatureExtractor, resampling: ResamplingStream | None = None) -> None:
        self._extractor, self._resampling = extractor, resampling
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
        feats = self._extractor.of_frames(self._frames(kept, begin, end))
        passed = min(max(0, options.first_sample(end) - self._offset), len(kept))
        self._kept, self._offset, self.num_ready = kept[passed:], self._offset + passed, end
        return feats

    def _frames(self, kept: np.ndarray, begin: int, end: int) -> np.ndarray:
        """Samples of frames [begin, end), of the samples from the offset on; beyond their ends they are mirrored."""
        options = self._extractor.options
        first = options.first_sample(begin) - self._offset
        stop = options.first_sample(end - 1) + options.length_samples - self._offset
        before, after = max(0, -first), max(0, stop - len(kept))
        if before or after:
            kept = np.pad(kept, (before, after), mode="symmetric")
        inside = kept[first + before : stop + before]
        return sliding_window_view(inside, options.length_samples)[:: options.shift_samples]


def check_options(options: MfccOptions | FbankOptions) -> None:
    """Raises KaldiError for nonsense."""
    nyquist = options.sample_frequency / 2
    # Kaldi's rule: the window must hold at least two samples, and a bin at least three points of the spectrum.
    if not 0 < options.sample_frequency <= 1e6:
        raise KaldiError(f"--sample-frequency={options.sample_frequency:g} is out of range")
    if not 0 < options.frame_shift <= 1e5 or not 2 <= options.frame_length * nyquist / 500 <= 1e6:
        raise KaldiError(
            f"--frame-length={options.frame_length:g} or --frame-shift={options.frame_shift:g} is out of range"
        )
    if options.shift_samples < 1:
        raise KaldiError(f"--frame-shift={options.frame_shift:g} is less than a sample")
    if options.transform_samples % 2:
        raise KaldiError(
            f"--round-to-power-of-two=false needs frames of an even number of samples, not {options.length_samples}"
        )
    if options.window_type not in WINDOWS:
        raise KaldiError(f"--window-type={options.window_type}: must be one of {', '.join(WINDOWS)}")
    if not 0 <= options.preemphasis_coefficient <= 1:
        raise KaldiError(f"--preemphasis-coefficient={options.preemphasis_coefficient:g} must be between 0 and 1")
    if not 3 <= options.num_mel_bins <= 1000:
        raise KaldiError(f"--num-mel-bins={options.num_mel_bins} must be between 3 and 1000")
    if not 0 <= options.low_freq < options.highest_freq <= nyquist:
        raise KaldiError(
            f"bad --low-freq={options.low_freq:g} and --high-freq={options.high_freq:g} "
            f"for a sampling rate of {options.sample_frequency:g}"
        )
