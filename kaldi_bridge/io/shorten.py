"""Recordings compressed with "shorten" (Tony Robinson, CUED/F-INFENG/TR.156, 1994), as SPHERE files embed them."""

from __future__ import annotations

import functools

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc

_SIXTEEN_BITS = (3, 5)  # high byte first, low byte first
_MU_LAW_WITHOUT_NEGATIVE_ZERO, _MU_LAW = 0, 8
_NEGATIVE_ZERO = 127


def decode_shorten(data: bytes, most: int) -> np.ndarray:
    """Samples [samples, channels] that ``data`` holds: int16, or uint8 codes of mu-law.

    Args:
        most: how many numbers there may be; where the header says so, more are an error.

    Raises:
        KaldiError: for damaged data, and for types of samples that SPHERE files do not have.
    """
    try:
        kind, values, shifts = _csrc.decode_shorten(data, most)
    except ValueError as error:
        raise KaldiError(f"shorten: {error}") from error
    if kind in _SIXTEEN_BITS:
        return (values << shifts).astype(np.int16)
    if kind not in (_MU_LAW, _MU_LAW_WITHOUT_NEGATIVE_ZERO):
        raise KaldiError(f"shorten: samples of type {kind} cannot be read, only 16-bit integers and mu-law")
    if values.size and (values.min() < -128 or values.max() > 127 or shifts.max() > 12):
        raise KaldiError("shorten: the data are damaged: numbers that are no codes of mu-law")
    if kind == _MU_LAW:  # -1 is the negative zero, which leaves one code less below
        codes = _mu_law_codes()[shifts, np.minimum(values + np.where(values < 0, 129, 128), 255)]
        return np.where(values == -1, np.uint8(_NEGATIVE_ZERO), codes)
    return _mu_law_codes()[shifts, values + 128]


@functools.cache
def _mu_law_codes() -> np.ndarray:
    """uint8 [shift, value + 128]: in a shifted block, codes that a shift loses nothing of are next to zero."""
    shiftable = [_possible_shift(code) for code in range(256)]
    rows = []
    for shift in range(13):
        negative, positive = [c for c in range(256) if c < _NEGATIVE_ZERO], list(range(255, 127, -1))
        rows.append(
            [c for c in negative if shiftable[c] < shift]
            + [_NEGATIVE_ZERO]
            + [c for c in negative if shiftable[c] >= shift]
            + [c for c in positive if shiftable[c] >= shift]
            + [c for c in positive if shiftable[c] < shift]
        )
    return np.array(rows, np.uint8)


def _possible_shift(code: int) -> int:
    """How many low bits can be zero in an integer that mu-law turns into this code (in units of its smallest step)."""
    size = ~code & 127
    exponent, mantissa = size >> 4, size & 15
    first, end = ((mantissa + 16) << exponent) - 16, ((mantissa + 17) << exponent) - 16
    if code == 0:
        end = 4097  # the most negative integer is one further away than the most positive one
    if first == 0:
        return 12
    return max((n & -n).bit_length() - 1 for n in range(first, end))
