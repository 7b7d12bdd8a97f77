"""Voicing and pitch for recognizers, as before Kaldi's own pitch tracker (featbin/process-pitch-feats.cc)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError


def log_odds(probabilities: np.ndarray) -> np.ndarray:
    """Of float32 probabilities of voicing, without infinities. Raises KaldiError where they are no probabilities."""
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise KaldiError("probabilities of voicing must be from 0 to 1")
    p = probabilities.astype(np.float64)
    return np.log((p + 0.0001) / (1.0001 - p)).astype(np.float32)


def without_moving_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Float32 values minus the mean of ``window`` of them around each.

    As Kaldi's: the mean over the first ``window`` stays at both ends, and the sum goes on in float32.
    """
    half = (window - 1) // 2
    mean = np.float32(0)
    for value in values[:window]:
        mean += value
    mean /= np.float32(min(window, len(values)))
    means = np.full(len(values), mean, np.float32)
    if len(values) > window:
        first = half + 1
        for i in range(first, len(values)):
            if i + first < len(values):
                mean -= (values[i - first] - values[i + first]) / np.float32(window)
            means[i] = mean
    return values - means


def averaged_nearby(values: np.ndarray, window: int) -> np.ndarray:
    """Means of ``window`` float32 values around each, where there are so many; others stay."""
    width = (window - 1) // 2
    count = len(values) - 2 * width
    if count <= 0:
        return values
    total = values[width : width + count].copy()
    for j in range(1, width + 1):
        total += values[width - j : width - j + count] + values[width + j : width + j + count]
    averaged = values.copy()
    averaged[width : width + count] = total / np.float32(window)
    return averaged
