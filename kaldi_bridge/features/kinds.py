"""Kinds of features: what each makes of power spectra, and how far that leads back.

Source: feat/feature-fbank.cc, feat/feature-mfcc.cc.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.features.frames import floored_log
from kaldi_bridge.features.mel import cosine_transform, lifter


class Kind(Protocol):
    """One kind of features.

    Attributes:
        dim: of the features.
        of_magnitudes: they come from magnitudes, not from the power spectrum.
        has_level: the level of the spectrum can be told from them.
    """

    dim: int
    of_magnitudes: bool
    has_level: bool

    def features(self, spectra: np.ndarray, banks: np.ndarray, energy: np.ndarray | None) -> np.ndarray:
        """Power spectra [frames, frequencies], mel banks [bins, frequencies] and, if they are used, logarithms of
        energies [frames] -> float32 [frames, dim]."""

    def log_mel(self, features: np.ndarray) -> np.ndarray:
        """Features [frames, dim], float64 -> logarithms of mel energies [frames, bins]; of fewer cepstra, smoothed."""


class FilterBanks:
    """Mel energies, or their logarithms, and perhaps the frame's energy in front (HTK: behind)."""

    has_level = True

    def __init__(self, num_bins: int, use_energy: bool, htk_compat: bool, use_log: bool, use_power: bool) -> None:
        self.dim = num_bins + use_energy
        self.of_magnitudes = not use_power
        self._use_energy, self._htk_compat, self._use_log = use_energy, htk_compat, use_log

    def features(self, spectra: np.ndarray, banks: np.ndarray, energy: np.ndarray | None) -> np.ndarray:
        bins: np.ndarray = _csrc.weighted_sums(np.sqrt(spectra) if self.of_magnitudes else spectra, banks)
        if self._use_log:
            bins = floored_log(bins)
        if energy is None:
            return bins
        return np.column_stack([bins, energy] if self._htk_compat else [energy, bins])

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
        self, num_ceps: int, num_bins: int, cepstral_lifter: float, use_energy: bool, htk_compat: bool
    ) -> None:
        if not 1 <= num_ceps <= num_bins:
            raise KaldiError(f"--num-ceps={num_ceps} must be between 1 and --num-mel-bins={num_bins}")
        self.dim = num_ceps
        self.has_level = not use_energy
        self._htk_compat = htk_compat
        self._cosines, self._lifter = cosine_transform(num_ceps, num_bins), lifter(num_ceps, cepstral_lifter)

    def features(self, spectra: np.ndarray, banks: np.ndarray, energy: np.ndarray | None) -> np.ndarray:
        bins = floored_log(_csrc.weighted_sums(spectra, banks))
        cosines, scales = self._cosines.astype(np.float32), self._lifter.astype(np.float32)
        cepstra: np.ndarray = _csrc.weighted_sums(bins, cosines) * scales
        if energy is not None:
            cepstra[:, 0] = energy
        if self._htk_compat:
            last = cepstra[:, 0] * np.float32(math.sqrt(2) if energy is None else 1)
            cepstra = np.column_stack([cepstra[:, 1:], last])
        return cepstra

    def log_mel(self, features: np.ndarray) -> np.ndarray:
        if self._htk_compat:
            features = np.concatenate([features[:, -1:] / np.sqrt(2.0), features[:, :-1]], 1)
        return (features / self._lifter) @ self._cosines
