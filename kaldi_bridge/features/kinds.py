"""Kinds of features: what each makes of windowed frames, and how far that leads back.

Source: feat/feature-fbank.cc, feat/feature-mfcc.cc, feat/feature-plp.cc, feat/feature-spectrogram.cc.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.features.frames import floored_log, power_spectra, spectra
from kaldi_bridge.features.linear_prediction import equal_loudness, inverse_fourier, lpc_cepstra, prediction
from kaldi_bridge.features.mel import MelBanks, cosine_transform, lifter


class Kind(Protocol):
    """One kind of features.

    Attributes:
        dim: of the features.
    """

    dim: int

    def features(self, frames: np.ndarray, energy: np.ndarray | None) -> np.ndarray:
        """Windowed frames [frames, samples] and, if they are used, logarithms of energies [frames] -> float32
        [frames, dim]."""


class InvertibleKind(Kind, Protocol):
    """One that a spectrum can be told from.

    Attributes:
        of_magnitudes: they come from magnitudes, not from the power spectrum.
        has_level: the level of the spectrum can be told from them.
    """

    of_magnitudes: bool
    has_level: bool

    def log_mel(self, features: np.ndarray) -> np.ndarray:
        """Features [frames, dim], float64 -> logarithms of mel energies [frames, bins]; of fewer cepstra, smoothed."""


class FilterBanks:
    """Mel energies, or their logarithms, and perhaps the frame's energy in front (HTK: behind)."""

    has_level = True

    def __init__(self, banks: MelBanks, use_energy: bool, htk_compat: bool, use_log: bool, use_power: bool) -> None:
        self.dim = len(banks.weights) + use_energy
        self.of_magnitudes = not use_power
        self._banks, self._use_energy, self._htk_compat, self._use_log = banks, use_energy, htk_compat, use_log

    def features(self, frames: np.ndarray, energy: np.ndarray | None) -> np.ndarray:
        powers = power_spectra(frames)
        bins = self._banks.energies(np.sqrt(powers) if self.of_magnitudes else powers)
        if self._use_log:
            bins = floored_log(bins)
        return bins if energy is None else _with_energy(bins, energy, self._htk_compat)

    def log_mel(self, features: np.ndarray) -> np.ndarray:
        if self._use_energy:
            features = features[:, :-1] if self._htk_compat else features[:, 1:]
        return features if self._use_log else np.log(np.maximum(features, np.finfo(np.float32).eps))


class Cepstra:
    """Mel-frequency cepstra, liftered; the first is C0 or the frame's energy (HTK: it comes last).

    Raises KaldiError for more cepstra than bins, or none.
    """

    of_magnitudes = False

    def __init__(
        self, banks: MelBanks, num_ceps: int, cepstral_lifter: float, use_energy: bool, htk_compat: bool
    ) -> None:
        num_bins = len(banks.weights)
        if not 1 <= num_ceps <= num_bins:
            raise KaldiError(f"--num-ceps={num_ceps} must be between 1 and --num-mel-bins={num_bins}")
        self.dim = num_ceps
        self.has_level = not use_energy
        self._banks, self._htk_compat = banks, htk_compat
        self._cosines, self._lifter = cosine_transform(num_ceps, num_bins), lifter(num_ceps, cepstral_lifter)

    def features(self, frames: np.ndarray, energy: np.ndarray | None) -> np.ndarray:
        bins = floored_log(self._banks.energies(power_spectra(frames)))
        cosines, scales = self._cosines.astype(np.float32), self._lifter.astype(np.float32)
        cepstra: np.ndarray = _csrc.weighted_sums(bins, cosines) * scales
        if self._htk_compat:
            first = cepstra[:, 0] * np.float32(math.sqrt(2)) if energy is None else energy
        else:
            first = cepstra[:, 0] if energy is None else energy
        return _with_energy(cepstra[:, 1:], first, self._htk_compat)

    def log_mel(self, features: np.ndarray) -> np.ndarray:
        if self._htk_compat:
            features = np.concatenate([features[:, -1:] / np.sqrt(2.0), features[:, :-1]], 1)
        return (features / self._lifter) @ self._cosines


class PerceptualCepstra:
    """Cepstra of perceptual linear prediction: of the all-pole model of loudness over mel bins.

    Raises KaldiError for more cepstra than ``lpc_order`` + 1, or none.
    """

    def __init__(
        self,
        banks: MelBanks,
        lpc_order: int,
        num_ceps: int,
        compress_factor: float,
        cepstral_lifter: int,
        cepstral_scale: float,
        htk_compat: bool,
    ) -> None:
        if not 1 <= lpc_order <= 1000:
            raise KaldiError(f"--lpc-order={lpc_order} must be between 1 and 1000")
        if not 1 <= num_ceps <= lpc_order + 1:
            raise KaldiError(f"--num-ceps={num_ceps} must be between 1 and --lpc-order={lpc_order} + 1")
        self.dim = num_ceps
        self._banks, self._htk_compat = banks, htk_compat
        self._loudness, self._power = equal_loudness(banks.centers), np.float32(compress_factor)
        self._fourier = inverse_fourier(lpc_order + 1, len(banks.weights) + 2)
        self._lifter = lifter(num_ceps, cepstral_lifter).astype(np.float32)
        self._scale = np.float32(cepstral_scale)

    def features(self, frames: np.ndarray, energy: np.ndarray | None) -> np.ndarray:
        loudness = np.power(self._banks.energies(power_spectra(frames)) * self._loudness, self._power)
        autocorrelation = _csrc.weighted_sums(np.pad(loudness, ((0, 0), (1, 1)), mode="edge"), self._fourier)
        coefficients, residual = prediction(autocorrelation)
        first = np.log(residual.astype(np.float64)).astype(np.float32)
        first[first < np.finfo(np.float32).tiny] = np.finfo(np.float32).tiny
        cepstra = np.column_stack([first, lpc_cepstra(coefficients)[:, : self.dim - 1]])
        cepstra = cepstra * self._lifter * self._scale
        return _with_energy(cepstra[:, 1:], cepstra[:, 0] if energy is None else energy, self._htk_compat)


class Spectra:
    """Logarithms of power spectra, with the frame's energy in place of that of its mean; or Fourier transforms.

    A transform of N samples is [X_0, X_N/2, re X_1, im X_1, re X_2, ...], of which the first two are real.
    """

    def __init__(self, transform_samples: int, raw: bool) -> None:
        self.dim = transform_samples if raw else transform_samples // 2 + 1
        self._raw = raw

    def features(self, frames: np.ndarray, energy: np.ndarray | None) -> np.ndarray:
        made = spectra(frames)
        if self._raw:
            packed = made[:, :-1].copy()
            packed.imag[:, 0] = made[:, -1].real
            return packed.view(np.float32)
        powers = floored_log(np.square(made.real) + np.square(made.imag))
        if energy is not None:
            powers[:, 0] = energy
        return powers


class Waveforms:
    """The samples in the middle of each frame, as many as the shift is long: one after the other, the waveform."""

    def __init__(self, length_samples: int, shift_samples: int) -> None:
        self.dim = shift_samples
        self._first = length_samples // 2 - shift_samples // 2

    def features(self, frames: np.ndarray, energy: np.ndarray | None) -> np.ndarray:
        return frames[:, self._first : self._first + self.dim]


def _with_energy(others: np.ndarray, energy: np.ndarray, htk_compat: bool) -> np.ndarray:
    """In front, or for HTK behind."""
    return np.column_stack([others, energy] if htk_compat else [energy, others])
