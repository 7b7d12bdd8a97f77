"""Waveforms that have given MFCC or filterbank features, as nearly as such waveforms exist: to listen to features.

    features -> log mel energies -> power spectra (non-negative least squares) -> waveform (phases by Griffin and Lim)

Inverse of what Kaldi does in feat/feature-mfcc.cc, feature-fbank.cc, mel-computations.cc and feature-window.cc. Phases,
and whatever the mel bins or too few cepstra do not tell, are lost.
"""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.frames import window
from kaldi_bridge.features.kinds import InvertibleKind
from kaldi_bridge.features.options import FbankOptions, MfccOptions

LEAST_SQUARES_STEPS = 100
GRIFFIN_LIM_STEPS = 60
MOMENTUM = 0.99


class FeatureInverter:
    """For one kind of features.

    Raises KaldiError at construction where an option makes no sense, or the features do not hold the spectrum's level.
    """

    def __init__(self, options: MfccOptions | FbankOptions) -> None:
        options.check()
        self._kind: InvertibleKind = options.kind()
        if not self._kind.has_level:
            raise KaldiError("MFCC with --use-energy=true lack C0, the level of the spectrum: there is no way back")
        self.options = options
        self._length, self._shift = options.length_samples, options.shift_samples
        self._size = options.transform_samples
        self._banks = options.mel_banks().weights.astype(np.float64)
        self._window = window(options.window_type, self._length, options.blackman_coeff).astype(np.float64)

    @property
    def dim(self) -> int:
        """Of the features."""
        return self._kind.dim

    def log_mel(self, features: np.ndarray) -> np.ndarray:
        """[frames, dim] -> [frames, num_mel_bins], natural logarithms of mel energies.

        Raises KaldiError for features of another dimension.
        """
        if features.ndim != 2 or features.shape[1] != self.dim:
            raise KaldiError(f"features {features.shape} do not fit the options, which make {self.dim} dimensions")
        return self._kind.log_mel(features.astype(np.float64))

    def __call__(self, features: np.ndarray, seed: int = 0) -> np.ndarray:
        """[frames, dim] -> [samples], float32 at the scale of 16-bit integers; ``seed`` of the phases to begin with.

        Raises KaldiError for features of another dimension, or none.
        """
        if len(features) == 0:
            raise KaldiError("there are no frames to make a waveform of")
        mel = np.exp(np.minimum(self.log_mel(features), 80.0))
        spectra = _non_negative(mel, self._banks)
        magnitudes = spectra if self._kind.of_magnitudes else np.sqrt(spectra)
        emphasized = self._griffin_lim(np.pad(magnitudes, ((0, 0), (0, 1))), np.random.default_rng(seed))
        waveform = _without_emphasis(emphasized, self.options.preemphasis_coefficient)
        if not self.options.snip_edges:
            extra = (self._length - self._shift) // 2
            waveform = waveform[extra : extra + len(features) * self._shift]
        return waveform.astype(np.float32)

    def _griffin_lim(self, magnitudes: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """The waveform whose windowed frames have these magnitudes [frames, size / 2 + 1].

        D. Griffin, J. Lim, "Signal estimation from modified short-time Fourier transform", 1984; with the momentum of
        N. Perraudin et al., "A fast Griffin-Lim algorithm", 2013.
        """
        spectrum = magnitudes * np.exp(2j * np.pi * random.random(magnitudes.shape))
        before = np.zeros_like(spectrum)
        for _ in range(GRIFFIN_LIM_STEPS):
            consistent = self._spectrum(self._overlap_add(spectrum))
            ahead = consistent + MOMENTUM * (consistent - before)
            before = consistent
            spectrum = magnitudes * ahead / np.maximum(np.abs(ahead), 1e-12)
        return self._overlap_add(spectrum)

    def _places(self, frames: int) -> np.ndarray:
        """[frames, length], the samples of each frame."""
        return self._shift * np.arange(frames)[:, None] + np.arange(self._length)

    def _spectrum(self, waveform: np.ndarray) -> np.ndarray:
        frames = (len(waveform) - self._length) // self._shift + 1
        return np.fft.rfft(waveform[self._places(frames)] * self._window, self._size)

    def _overlap_add(self, spectrum: np.ndarray) -> np.ndarray:
        """The waveform whose frames are nearest, in least squares."""
        frames = np.fft.irfft(spectrum, self._size)[:, : self._length] * self._window
        places = self._places(len(frames))
        size = int(places[-1, -1]) + 1
        total = np.bincount(places.ravel(), frames.ravel(), size)
        weight = np.bincount(places.ravel(), np.broadcast_to(self._window**2, places.shape).ravel(), size)
        return total / np.maximum(weight, 1e-3)


def _non_negative(energies: np.ndarray, banks: np.ndarray) -> np.ndarray:
    """Spectra [frames, frequencies] with ``spectra @ banks.T`` near the mel energies.

    Each step multiplies by a ratio that is 1 at the least squares solution (D. Lee, H. Seung, "Algorithms for
    non-negative matrix factorization", 2000).
    """
    wanted, product = energies @ banks, banks.T @ banks
    spectra = energies @ (banks / banks.sum(0, keepdims=True).clip(min=1e-6))
    for _ in range(LEAST_SQUARES_STEPS):
        spectra *= wanted / np.maximum(spectra @ product, 1e-30)
    return spectra


def _without_emphasis(emphasized: np.ndarray, coefficient: float) -> np.ndarray:
    """The x of y[n] = x[n] - coefficient x[n - 1]."""
    made = np.empty_like(emphasized)
    last = 0.0
    for n, value in enumerate(emphasized.tolist()):
        last = value + coefficient * last
        made[n] = last
    return made
