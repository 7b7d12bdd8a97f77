"""The source of initial parameters; a seed fixes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

_seed = 0
_rng: Generator | None = None  # made when it is needed: numpy.random is slow to import


def set_seed(seed: int) -> None:
    """Restart the stream of random numbers (commands: --srand)."""
    global _seed, _rng
    _seed, _rng = seed, None


def gaussian(*shape: int, mean: float = 0.0, stddev: float = 1.0) -> np.ndarray:
    """Independent N(mean, stddev²) numbers, float32 of the given shape."""
    global _rng
    if _rng is None:
        _rng = np.random.default_rng(_seed & 0xFFFFFFFF)
    numbers = _rng.standard_normal(shape, dtype=np.float32)
    return numbers * np.float32(stddev) + np.float32(mean)
