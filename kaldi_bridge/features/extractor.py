"""MFCC and filterbank features with Kaldi's options, computed by kaldi-native-fbank.

Waveforms are float arrays at 16-bit integer scale, as Kaldi reads them; features are [frames, dimensions].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.resampling import ResamplingStream, resampled, stream_resampler


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

    def num_frames(self, num_samples: int) -> int:
        """Frames of a waveform."""
        if not self.snip_edges:
            return (num_samples + self.shift_samples // 2) // self.shift_samples
        if num_samples < self.length_samples:
            return 0
        return 1 + (num_samples - self.length_samples) // self.shift_samples

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


@dataclass
class FbankOptions(FrameOptions):
    """Kaldi's filterbank options (feat/feature-fbank.h)."""

    use_energy: bool = option(False, "Put the energy in front as one more dimension")
    energy_floor: float = option(0.0, "Floor on the energy, absolute; only matters with --use-energy")
    raw_energy: bool = option(True, "Compute the energy before pre-emphasis and windowing")
    htk_compat: bool = option(False, "Energy last")
    use_log_fbank: bool = option(True, "Logarithm of the filterbank, else linear")
    use_power: bool = option(True, "Power spectrum, else magnitude")


def _set_frame_options(native: Any, options: FrameOptions) -> None:
    frame, mel = native.frame_opts, native.mel_opts
    frame.samp_freq = options.sample_frequency
    frame.frame_length_ms = options.frame_length
    frame.frame_shift_ms = options.frame_shift
    frame.preemph_coeff = options.preemphasis_coefficient
    frame.remove_dc_offset = options.remove_dc_offset
    frame.dither = options.dither
    frame.window_type = options.window_type
    frame.blackman_coeff = options.blackman_coeff
    frame.round_to_power_of_two = options.round_to_power_of_two
    frame.snip_edges = options.snip_edges
    mel.num_bins = options.num_mel_bins
    mel.low_freq = options.low_freq
    mel.high_freq = options.high_freq


class FeatureExtractor:
    """Computes one kind of features; safe to use for many waveforms.

    Raises KaldiError at construction where an option makes no sense (Kaldi would abort).
    """

    def __init__(self, options: MfccOptions | FbankOptions) -> None:
        import kaldi_native_fbank as native  # not needed by those who only look at the options

        check_options(options)
        self.options = options
        if isinstance(options, MfccOptions):
            self._native = native.MfccOptions()
            self._online = native.OnlineMfcc
            names = ["num_ceps", "use_energy", "energy_floor", "raw_energy", "cepstral_lifter", "htk_compat"]
        else:
            self._native = native.FbankOptions()
            self._online = native.OnlineFbank
            names = ["use_energy", "energy_floor", "raw_energy", "htk_compat", "use_log_fbank", "use_power"]
        _set_frame_options(self._native, options)
        for name in names:
            setattr(self._native, name, getattr(options, name))

    def __call__(self, waveform: np.ndarray, sample_frequency: float) -> np.ndarray:
        """waveform [samples] -> features [frames, dimensions], float32; no rows when it is shorter than a frame.

        Raises KaldiError when its sampling rate is not the one of the options, nor may be changed to it.
        """
        self.options.check_rate(sample_frequency)
        if sample_frequency != self.options.sample_frequency:
            waveform = resampled(waveform, sample_frequency, self.options.sample_frequency)
        return FeatureStream(self._online(self._native), self.options.sample_frequency).extend(waveform, last=True)

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
        resampling = None
        if sample_frequency != wanted:
            resampling = ResamplingStream(stream_resampler(sample_frequency, wanted))
        return FeatureStream(self._online(self._native), wanted, resampling)


class FeatureStream:
    """The features of one waveform as its samples come in.

    Args:
        sample_frequency: of the features.
        resampling: to this rate, of samples at another.
    """

    def __init__(self, native: Any, sample_frequency: float, resampling: ResamplingStream | None = None) -> None:
        self._native, self._sample_frequency, self._resampling = native, sample_frequency, resampling
        self.num_ready = 0

    def extend(self, samples: np.ndarray, last: bool) -> np.ndarray:
        """The frames [frames, dimensions] that the next samples complete; at the ``last`` ones, all that remain."""
        if self._resampling is not None:
            samples = self._resampling.extend(samples, last)
        self._native.accept_waveform(self._sample_frequency, np.ascontiguousarray(samples, dtype=np.float32))
        if last:
            self._native.input_finished()
        before, self.num_ready = self.num_ready, self._native.num_frames_ready
        if before == self.num_ready:
            return np.zeros((0, self._native.dim), dtype=np.float32)
        return np.stack([self._native.get_frame(t) for t in range(before, self.num_ready)])


def check_options(options: MfccOptions | FbankOptions) -> None:
    """Raises KaldiError for nonsense: the native library would exit the process."""
    windows = ("hamming", "hanning", "povey", "rectangular", "sine", "blackmann")
    nyquist = options.sample_frequency / 2
    high = options.high_freq if options.high_freq > 0 else nyquist + options.high_freq
    # Kaldi's rule: the window must hold at least two samples, and a bin at least three points of the spectrum.
    if not 0 < options.sample_frequency <= 1e6:
        raise KaldiError(f"--sample-frequency={options.sample_frequency:g} is out of range")
    if not 0 < options.frame_shift <= 1e5 or not 2 <= options.frame_length * nyquist / 500 <= 1e6:
        raise KaldiError(
            f"--frame-length={options.frame_length:g} or --frame-shift={options.frame_shift:g} is out of range"
        )
    if options.window_type not in windows:
        raise KaldiError(f"--window-type={options.window_type}: must be one of {', '.join(windows)}")
    if not 0 <= options.preemphasis_coefficient <= 1:
        raise KaldiError(f"--preemphasis-coefficient={options.preemphasis_coefficient:g} must be between 0 and 1")
    if not 3 <= options.num_mel_bins <= 1000:
        raise KaldiError(f"--num-mel-bins={options.num_mel_bins} must be between 3 and 1000")
    if not 0 <= options.low_freq < high <= nyquist:
        raise KaldiError(
            f"bad --low-freq={options.low_freq:g} and --high-freq={options.high_freq:g} "
            f"for a sampling rate of {options.sample_frequency:g}"
        )
    if isinstance(options, MfccOptions) and not 1 <= options.num_ceps <= options.num_mel_bins:
        raise KaldiError(f"--num-ceps={options.num_ceps} must be between 1 and --num-mel-bins={options.num_mel_bins}")
