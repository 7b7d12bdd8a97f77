"""Options of features, with Kaldi's names and defaults, and what kind of features they make.

Source: feat/feature-window.h, feat/mel-computations.h, feat/feature-{mfcc,fbank,plp,spectrogram}.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kaldi_bridge.command import option, without_effect
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.frames import WINDOWS
from kaldi_bridge.features.kinds import Cepstra, FilterBanks, PerceptualCepstra, Spectra, Waveforms
from kaldi_bridge.features.mel import MelBanks, VtlnRange, mel_banks

HTK_ENERGY, HTK_C0 = 0o100, 0o20000  # qualifiers of HTK's kinds of parameters
HTK_USER = 9


@dataclass
class FrameOptions:
    """How a waveform is cut into frames (feat/feature-window.h)."""

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
    blackman_coeff: float = option(0.42, "Constant of the Blackman window, with --window-type=blackman alone")
    round_to_power_of_two: bool = option(True, "Zero-pad each frame to a power of two before the FFT")
    snip_edges: bool = option(
        True,
        "Only frames that fit into the file whole; otherwise the file's length over the shift, with its ends mirrored",
    )
    max_feature_vectors: int = without_effect(-1, "Features of online programs leave memory as they are used")

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

    def check(self) -> None:
        """Raises KaldiError for nonsense."""
        nyquist = self.sample_frequency / 2
        # Kaldi's rule: the window must hold at least two samples.
        if not 0 < self.sample_frequency <= 1e6:
            raise KaldiError(f"--sample-frequency={self.sample_frequency:g} is out of range")
        if not 0 < self.frame_shift <= 1e5 or not 2 <= self.frame_length * nyquist / 500 <= 1e6:
            raise KaldiError(
                f"--frame-length={self.frame_length:g} or --frame-shift={self.frame_shift:g} is out of range"
            )
        if self.shift_samples < 1:
            raise KaldiError(f"--frame-shift={self.frame_shift:g} is less than a sample")
        if self.transform_samples % 2:
            raise KaldiError(
                f"--round-to-power-of-two=false needs frames of an even number of samples, not {self.length_samples}"
            )
        if self.window_type not in WINDOWS:
            raise KaldiError(f"--window-type={self.window_type}: must be one of {', '.join(WINDOWS)}")
        if not 0 <= self.preemphasis_coefficient <= 1:
            raise KaldiError(f"--preemphasis-coefficient={self.preemphasis_coefficient:g} must be between 0 and 1")


@dataclass
class MelOptions(FrameOptions):
    """Where mel bins lie (feat/mel-computations.h), and how a speaker's vocal tract moves them."""

    num_mel_bins: int = option(23, "Number of triangular mel bins")
    low_freq: float = option(20.0, "Lower edge of the mel bins in Hz")
    high_freq: float = option(0.0, "Upper edge of the mel bins in Hz; <= 0 counts from half the sampling rate")
    vtln_low: float = option(100.0, "Lower inflection point of the warping of frequencies for VTLN in Hz")
    vtln_high: float = option(
        -500.0, "Upper inflection point of the warping of frequencies for VTLN in Hz; < 0 counts from half the rate"
    )
    debug_mel: bool = option(False, "Print the mel bins, and each frame's energies in them")

    @property
    def highest_freq(self) -> float:
        """Upper edge of the mel bins in Hz."""
        return self.high_freq if self.high_freq > 0 else self.sample_frequency / 2 + self.high_freq

    def check(self) -> None:
        """Raises KaldiError for nonsense."""
        super().check()
        nyquist = self.sample_frequency / 2
        # Kaldi's rule: a bin holds at least three points of the spectrum.
        if not 3 <= self.num_mel_bins <= 1000:
            raise KaldiError(f"--num-mel-bins={self.num_mel_bins} must be between 3 and 1000")
        if not 0 <= self.low_freq < self.highest_freq <= nyquist:
            raise KaldiError(
                f"bad --low-freq={self.low_freq:g} and --high-freq={self.high_freq:g} "
                f"for a sampling rate of {self.sample_frequency:g}"
            )

    def mel_banks(self, warp: float = 1.0) -> MelBanks:
        """The mel bins with frequencies divided by a factor ``warp``.

        Raises KaldiError where a bin holds no frequency, or there is a warp and its options make no sense.
        """
        high = self.vtln_high + (self.sample_frequency / 2 if self.vtln_high < 0 else 0)
        return mel_banks(
            self.num_mel_bins, self.low_freq, self.highest_freq, self.sample_frequency, self.transform_samples,
            VtlnRange(self.vtln_low, high), warp, self.debug_mel,
        )  # fmt: skip


@dataclass
class MfccOptions(MelOptions):
    """Kaldi's MFCC options (feat/feature-mfcc.h)."""

    num_ceps: int = option(13, "Number of cepstra, C0 included")
    use_energy: bool = option(True, "Energy instead of C0")
    energy_floor: float = option(0.0, "Floor on the energy, absolute; only matters with --use-energy")
    raw_energy: bool = option(True, "Compute the energy before pre-emphasis and windowing")
    cepstral_lifter: float = option(22.0, "Scaling of the cepstra")
    htk_compat: bool = option(False, "Energy or C0 last, C0 scaled by sqrt(2)")

    @property
    def htk_kind(self) -> int:
        """HTK's code of these features."""
        return 6 | (HTK_ENERGY if self.use_energy else HTK_C0)

    def kind(self, warp: float = 1.0) -> Cepstra:
        """What is made of frames. Raises KaldiError where the options, or the warp, make no sense."""
        return Cepstra(self.mel_banks(warp), self.num_ceps, self.cepstral_lifter, self.use_energy, self.htk_compat)


@dataclass
class FbankOptions(MelOptions):
    """Kaldi's filterbank options (feat/feature-fbank.h)."""

    use_energy: bool = option(False, "Put the energy in front as one more dimension")
    energy_floor: float = option(0.0, "Floor on the energy, absolute; only matters with --use-energy")
    raw_energy: bool = option(True, "Compute the energy before pre-emphasis and windowing")
    htk_compat: bool = option(False, "Energy last")
    use_log_fbank: bool = option(True, "Logarithm of the filterbank, else linear")
    use_power: bool = option(True, "Power spectrum, else magnitude")

    @property
    def htk_kind(self) -> int:
        """HTK's code of these features."""
        return 7 | (HTK_ENERGY if self.use_energy else HTK_C0)

    def kind(self, warp: float = 1.0) -> FilterBanks:
        """What is made of frames. Raises KaldiError where the options, or the warp, make no sense."""
        return FilterBanks(
            self.mel_banks(warp), self.use_energy, self.htk_compat, use_log=self.use_log_fbank, use_power=self.use_power
        )


@dataclass
class PlpOptions(MelOptions):
    """Kaldi's PLP options (feat/feature-plp.h)."""

    lpc_order: int = option(12, "Order of linear prediction")
    num_ceps: int = option(13, "Number of cepstra, C0 included")
    use_energy: bool = option(True, "Energy instead of C0")
    energy_floor: float = option(0.0, "Floor on the energy, absolute; only matters with --use-energy")
    raw_energy: bool = option(True, "Compute the energy before pre-emphasis and windowing")
    compress_factor: float = option(0.33333, "Power of loudness that energies in mel bins are raised to")
    cepstral_lifter: int = option(22, "Scaling of the cepstra")
    cepstral_scale: float = option(1.0, "Factor of all cepstra")
    htk_compat: bool = option(False, "Energy or C0 last")

    @property
    def htk_kind(self) -> int:
        """HTK's code of these features; Kaldi says C0 where it is the energy, too."""
        return 11 | HTK_C0

    def kind(self, warp: float = 1.0) -> PerceptualCepstra:
        """What is made of frames. Raises KaldiError where the options, or the warp, make no sense."""
        return PerceptualCepstra(
            self.mel_banks(warp), self.lpc_order, self.num_ceps, self.compress_factor, self.cepstral_lifter,
            self.cepstral_scale, self.htk_compat,
        )  # fmt: skip


@dataclass
class SpectrogramOptions(FrameOptions):
    """Kaldi's options of spectrograms (feat/feature-spectrogram.h)."""

    energy_floor: float = option(0.0, "Floor on the energy, which is the first dimension; absolute")
    raw_energy: bool = option(True, "Compute the energy before pre-emphasis and windowing")
    return_raw_fft: bool = option(False, "The complex numbers of Fourier transforms instead of log power spectra")

    use_energy: ClassVar[bool] = True
    htk_kind: ClassVar[int] = 7 | HTK_C0

    def kind(self, warp: float = 1.0) -> Spectra:
        """What is made of frames; there are no bins that a warp would move."""
        return Spectra(self.transform_samples, self.return_raw_fft)


@dataclass
class WaveformOptions(FrameOptions):
    """Samples as features, for networks that begin with convolutions over them; Kaldi has none.

    A frame is where that of other features with this length and shift is, so that alignments fit.
    """

    preemphasis_coefficient: float = option(0.0, "Coefficient of the pre-emphasis filter")
    remove_dc_offset: bool = option(False, "Subtract each frame's mean from it")
    dither: float = option(0.0, "Amplitude of the random noise added to each sample")
    window_type: str = option(
        "rectangular", 'Window shape ("hamming"|"hanning"|"povey"|"rectangular"|"sine"|"blackmann")'
    )
    round_to_power_of_two: bool = without_effect(True, "Samples are not transformed")

    htk_kind: ClassVar[int] = HTK_USER

    def check(self) -> None:
        """Raises KaldiError for nonsense."""
        super().check()
        if self.shift_samples > self.length_samples:
            raise KaldiError(f"--frame-shift={self.frame_shift:g} is more than --frame-length={self.frame_length:g}")

    def kind(self, warp: float = 1.0) -> Waveforms:
        """What is made of frames; there are no bins that a warp would move."""
        return Waveforms(self.length_samples, self.shift_samples)


AnyOptions = MfccOptions | FbankOptions | PlpOptions | SpectrogramOptions | WaveformOptions
