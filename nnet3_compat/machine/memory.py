"""Keeping large blocks of memory between the minibatches of a training run."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # glibc's malloc.h


def keep_memory() -> None:
    """Tells the C library not to give freed blocks back to the system, to which tensors come and go.

    Each new page costs a page fault, which together take longer than much of the arithmetic. Without effect where the
    C library is not glibc.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(_TOP_PAD, 64 << 20)
