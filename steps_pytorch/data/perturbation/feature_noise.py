"""Noise on normalized features, of whatever source: of a standard deviation, or salt and pepper."""

from __future__ import annotations

import numpy as np

from steps_pytorch.data.perturbation.base import uniform


def noisy(features: np.ndarray, deviation: float, random: np.random.Generator) -> np.ndarray:
    """A copy with Gaussian noise of a standard deviation."""
    return features + np.float32(deviation) * random.standard_normal(features.shape, np.float32)


def dropped(features: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """A copy of which a share of the numbers is 0 (salt and pepper), which is the mean where means are normalized."""
    return np.where(random.random(features.shape, np.float32) < share, np.float32(0.0), features)


class FeatureNoise:
    """Gaussian noise, of a standard deviation drawn from ``deviations`` for each chunk."""

    def __init__(self, deviations: tuple[float, float]) -> None:
        self._deviations = deviations

    def __call__(self, features: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return noisy(features, uniform(self._deviations, random), random)


class FeatureDrop:
    """A share of the numbers, drawn from ``shares`` for each chunk, is 0."""

    def __init__(self, shares: tuple[float, float]) -> None:
        self._shares = shares

    def __call__(self, features: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return dropped(features, uniform(self._shares, random), random)
