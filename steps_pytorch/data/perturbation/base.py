"""What perturbs waveforms, and what perturbs features."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Perturbation(Protocol):
    """Attributes:
    history: samples before those that count that it wants to see, where there are any.
    """

    history: int

    def __call__(self, samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """float32 [samples], at the scale of 16-bit integers, to as many."""
        ...


class FeaturePerturbation(Protocol):
    """Perturbs normalized features of a chunk."""

    def __call__(self, features: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """float32 [frames, dim], to as many; the argument is left as it is."""
        ...


def uniform(limits: tuple[float, float], random: np.random.Generator) -> float:
    """A number between two others."""
    return limits[0] + (limits[1] - limits[0]) * float(random.random())


def power(samples: np.ndarray) -> float:
    """The mean square of a signal; 0 of none."""
    return float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
