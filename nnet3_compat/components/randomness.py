"""The source of initial parameters; a seed fixes them."""

from __future__ import annotations

import numpy as np

_rng = np.random.default_rng(0)


def set_seed(seed: int) -> None:
    """Restart the stream of random numbers (commands: --srand)."""
    global _rng
    _rng = np.random.default_rng(seed & 0xFFFFFFFF)


def gaussian(*shape: int, mean: float = 0.0, stddev: float = 1.0) -> np.ndarray:
    """Independent N(mean, stddev²) numbers, float32 of the given shape."""
    numbers = _rng.standard_normal(shape, dtype=np.float32)
    return numbers * np.float32(stddev) + np.float32(mean)
