"""The singular value decomposition that Kaldi calls, LAPACK's dgesvd.

NumPy offers dgesdd alone. Both are right, but singular vectors have arbitrary signs, and with other signs than Kaldi's
the features that LDA makes would be mirrored: what is drawn at random later then meets other Gaussians, and systems
trained on the same data would differ by chance. NumPy's own LAPACK has dgesvd too; it is called directly.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

# Names in the wheels of NumPy, whose integers have 64 bits, and elsewhere.
_NAMES = (("scipy_dgesvd_64_", ctypes.c_int64), ("dgesvd_64_", ctypes.c_int64), ("dgesvd_", ctypes.c_int32))


def singular_values(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """U, the values [n] in descending order, and V' of a square matrix [n, n] = U diag(values) V'; float64.

    Signs are those of dgesvd where NumPy's LAPACK can be called, else NumPy's. Raises LinAlgError where it does not
    converge.
    """
    found = _dgesvd()
    if found is None:
        left, values, right = np.linalg.svd(matrix)
        return left, values, right
    function, integer = found
    size = len(matrix)
    copy = np.array(matrix, np.float64, order="F")
    left, right = np.zeros((size, size), order="F"), np.zeros((size, size), order="F")
    values, work, info = np.zeros(size), np.zeros(1), integer(0)

    def number(value: int) -> Any:
        return ctypes.byref(integer(value))

    def address(array: np.ndarray) -> ctypes.c_void_p:
        return array.ctypes.data_as(ctypes.c_void_p)

    for length in (-1, None):  # the first call says how much memory the second one needs
        if length is None:
            length = int(work[0])
            work = np.zeros(length)
        function(
            *(b"S", b"S", number(size), number(size), address(copy), number(size), address(values)),
            *(address(left), number(size), address(right), number(size), address(work), number(length)),
            *(ctypes.byref(info), ctypes.c_size_t(1), ctypes.c_size_t(1)),
        )
    if info.value:
        raise np.linalg.LinAlgError("the singular value decomposition did not converge")
    return left, values, right


def _dgesvd() -> tuple[Callable[..., Any], Any] | None:
    """The function, and the type of its integers; None where NumPy was built with another LAPACK."""
    linalg: Any = np.linalg
    try:
        library = ctypes.CDLL(linalg._umath_linalg.__file__)
    except (AttributeError, OSError):
        return None
    for name, integer in _NAMES:
        function = getattr(library, name, None)
        if function is not None:
            return function, integer
    return None
