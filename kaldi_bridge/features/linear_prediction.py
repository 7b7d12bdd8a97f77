"""Perceptual linear prediction: loudness of mel bins, and the all-pole model of a spectrum (feat/mel-computations.cc).

In single precision, rounded as by Kaldi; frames are rows.
"""

from __future__ import annotations

import math

import numpy as np

SMALLEST_RATIO = np.float32(1e-5)  # of what a step of the recursion leaves of the energy


def equal_loudness(frequencies: np.ndarray) -> np.ndarray:
    """How loud frequencies in Hz sound, float32; H. Hermansky, "Perceptual linear predictive analysis", 1990."""
    squares = np.square(frequencies)
    ratio = squares / (squares + np.float32(1.6e5))
    return np.square(ratio) * ((squares + np.float32(1.44e6)) / (squares + np.float32(9.61e6)))


def inverse_fourier(rows: int, points: int) -> np.ndarray:
    """[rows, points], float32: from power spectra at ``points`` frequencies, 0 and half the rate included, to
    autocorrelations."""
    angle, scale = np.float32(math.pi / (points - 1)), np.float32(1 / (2 * (points - 1)))
    cosines = np.cos(angle * np.arange(rows, dtype=np.float32)[:, np.newaxis] * np.arange(points, dtype=np.float32))
    factors = np.full(points, 2 * scale, np.float32)
    factors[0] = factors[-1] = scale
    return (cosines * factors).astype(np.float32)


def prediction(autocorrelation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Linear prediction by Durbin's recursion.

    [frames, order + 1] float32 -> coefficients a_1, a_2, ... [frames, order], where 1 / (1 + a_1 z + a_2 z^2 + ...) is
    the model, and the energy [frames] that it leaves.
    """
    order = autocorrelation.shape[1] - 1
    by_lag = np.ascontiguousarray(autocorrelation.T)
    energy = by_lag[0].copy()
    coefficients = np.zeros((order, len(autocorrelation)), np.float32)
    for i in range(order):
        reflection = by_lag[i + 1].copy()
        for j in range(i):
            reflection += coefficients[j] * by_lag[i - j]
        reflection /= energy
        left = np.float32(1) - reflection * reflection
        energy *= np.where(left < SMALLEST_RATIO, SMALLEST_RATIO, left)
        coefficients[:i] -= reflection * coefficients[:i][::-1]
        coefficients[i] = -reflection
    return coefficients.T, energy


def lpc_cepstra(coefficients: np.ndarray) -> np.ndarray:
    """Cepstra C1, C2, ... [frames, order] of the model with these coefficients [frames, order]."""
    a = coefficients.T
    cepstra = np.zeros_like(a)
    for i in range(len(a)):
        total = np.zeros(a.shape[1], np.float64)
        for j in range(i):
            total += np.float32(i - j) * a[j] * cepstra[i - j - 1]
        cepstra[i] = -a[i] - total / (i + 1)
    return cepstra.T
