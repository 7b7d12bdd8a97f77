"""Objects of every kind that tables hold."""

from __future__ import annotations

import numpy as np

RANDOM = np.random.default_rng(0)


MATRIX = RANDOM.standard_normal((10, 3)).astype(np.float32)


POSTERIOR = [[(1, 0.5), (7, 0.25)], [], [(3, 1.0)]]


CASES = {
    "FLOAT_MATRIX": ([MATRIX, MATRIX[:1]], "FloatMatrix"),
    "DOUBLE_MATRIX": ([MATRIX.astype(np.float64)], "DoubleMatrix"),
    "FLOAT_VECTOR": ([MATRIX[0], MATRIX[0, :0]], "FloatVector"),
    "DOUBLE_VECTOR": ([MATRIX[0].astype(np.float64)], "DoubleVector"),
    "INT32": ([-5, 0, 2**31 - 1], "Int32"),
    "FLOAT": ([0.5, -1e20], "Float"),
    "DOUBLE": ([0.5, 1e-200], "Double"),
    "BOOL": ([True, False], "Bool"),
    "INT32_VECTOR": ([np.array([1, -2, 3]), np.array([], np.int32)], "Int32Vector"),
    "INT32_VECTOR_VECTOR": ([[[1, 2], [], [3]], []], "Int32VectorVector"),
    "INT32_PAIR_VECTOR": ([[(1, 2), (3, -4)], []], "Int32PairVector"),
    "POSTERIOR": ([POSTERIOR, []], "Posterior"),
    "GAUSS_POSTERIOR": ([[[(1, MATRIX[0])], []], []], "GaussPost"),
    "TOKEN": (["word", "é"], "Token"),
    "TOKEN_VECTOR": ([["a", "b"], []], "TokenVector"),
}


def wave_bytes(order="<", riff=None, size=None, extra=b"", fmt=None, samples=b"\1\0\2\0\3\0\4\0"):
    import struct

    fmt = fmt or struct.pack(order + "HHIIHH", 1, 1, 8000, 16000, 2, 16)
    chunks = b"fmt " + struct.pack(order + "I", len(fmt)) + fmt + extra
    chunks += b"data" + struct.pack(order + "I", len(samples) if size is None else size) + samples
    total = 4 + len(chunks) if riff is None else riff
    return (b"RIFF" if order == "<" else b"RIFX") + struct.pack(order + "I", total) + b"WAVE" + chunks
