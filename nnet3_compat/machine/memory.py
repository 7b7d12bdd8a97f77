"""Keeping large blocks of memory between the minibatches of a training run."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # glibc's malloc.h
_HUGEPAGE, _HUGE = 14, 2 << 20  # Linux's madvise, and the size of such a page
_RESERVED = 1 << 30


def keep_memory() -> None:
    """Tells the C library not to give freed blocks back to the system, to which tensors come and go.

    Each new page costs a page fault, which together take longer than much of the arithmetic. The first gigabyte is of
    huge pages, where the system has them: passes over tensors then wait less for addresses. Without effect where the
    C library is not glibc.
    """
    try:
        library = ctypes.CDLL(None)
        mallopt, malloc, free, madvise = library.mallopt, library.malloc, library.free, library.madvise
    except (AttributeError, OSError):
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(_TOP_PAD, 64 << 20)
    malloc.restype, malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
    free.restype, free.argtypes = None, (ctypes.c_void_p,)
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    block = malloc(_RESERVED)  # addresses only: memory is taken where it is written to
    if block:
        madvise(-(-block // _HUGE) * _HUGE, _RESERVED - _HUGE, _HUGEPAGE)
        free(block)
