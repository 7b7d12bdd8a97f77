"""Telephone companding (ITU-T G.711): what one byte of mu-law or A-law stands for, as 16-bit samples."""

from __future__ import annotations

import numpy as np


def expand_mu_law(codes: np.ndarray) -> np.ndarray:
    """int16 samples, of the shape of uint8 ``codes``."""
    return _mu_law()[codes]


def expand_a_law(codes: np.ndarray) -> np.ndarray:
    """int16 samples, of the shape of uint8 ``codes``."""
    return _a_law()[codes]


def _mu_law() -> np.ndarray:
    code = np.arange(256)
    exponent, mantissa = (~code >> 4) & 7, ~code & 15
    magnitude = (((mantissa << 3) + 132) << exponent) - 132
    return np.where(code & 128, magnitude, -magnitude).astype(np.int16)


def _a_law() -> np.ndarray:
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = np.where(exponent, ((mantissa << 4) + 264) << np.maximum(exponent - 1, 0), (mantissa << 4) + 8)
    return np.where(code & 128, magnitude, -magnitude).astype(np.int16)
