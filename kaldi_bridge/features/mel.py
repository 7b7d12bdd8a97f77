"""The mel scale, its triangular bins, cepstra (feat/mel-computations.cc, feat/feature-mfcc.cc); rounded as by Kaldi."""

from __future__ import annotations

import math

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc


def mel(frequency: np.ndarray | float) -> np.ndarray:
    """Of a frequency in Hz, float32."""
    ratio = 1 + np.asarray(frequency, np.float32) / np.float32(700)
    return np.float32(1127) * np.asarray(_csrc.logarithms(ratio), np.float32)


def mel_edges(num_bins: int, low: float, high: float) -> np.ndarray:
    """[num_bins + 2], float32: from ``low`` to ``high`` Hz. Each bin lies from one to the next but one."""
    step = (mel(high) - mel(low)) / np.float32(num_bins + 1)
    return mel(low) + np.arange(num_bins + 2, dtype=np.float32) * step


def bin_centers(num_bins: int, low: float, high: float) -> np.ndarray:
    """[num_bins], in Hz."""
    return 700.0 * np.expm1(mel_edges(num_bins, low, high)[1:-1] / 1127.0)


def mel_banks(num_bins: int, low: float, high: float, sample_frequency: float, size: int) -> np.ndarray:
    """[num_bins, size / 2], float32: what each frequency of a transform of ``size`` samples weighs in each bin.

    Triangles on the mel scale; half the sampling rate is left out. Raises KaldiError where a bin holds no frequency.
    """
    edges = mel_edges(num_bins, low, high)
    left, center, right = (edges[i : len(edges) - 2 + i, np.newaxis] for i in range(3))
    frequencies = mel(np.arange(size // 2, dtype=np.float32) * np.float32(sample_frequency / size))
    banks: np.ndarray = np.minimum((frequencies - left) / (center - left), (right - frequencies) / (right - center))
    banks = banks.clip(min=0)
    if not banks.any(axis=1).all():
        raise KaldiError(f"--num-mel-bins={num_bins} is too large: some bins hold no frequency of the spectrum")
    return banks


def cosine_transform(num_ceps: int, num_bins: int) -> np.ndarray:
    """[num_ceps, num_bins], orthonormal rows: from logarithms of mel energies to cepstra."""
    rows = np.arange(num_ceps)[:, np.newaxis]
    scale, first_scale = (np.float64(np.float32(math.sqrt(energy / num_bins))) for energy in (2, 1))
    matrix = scale * np.cos(np.pi / num_bins * (np.arange(num_bins) + 0.5) * rows)
    matrix[0] = first_scale
    return matrix


def lifter(num_ceps: int, strength: float) -> np.ndarray:
    """[num_ceps], what cepstra are multiplied by; ones for ``strength`` 0."""
    if strength == 0:
        return np.ones(num_ceps)
    return 1.0 + 0.5 * strength * np.sin(np.pi * np.arange(num_ceps) / strength)
