"""Statistics for LDA and transforms like it, as Kaldi's acc-lda writes them (transform/lda-estimate.cc)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge import basic_io, matrix_io
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.output_stream import OutputStream


class LdaStatistics:
    """Counts [classes], sums [classes, dim] and the sum of outer products [dim, dim], in double precision."""

    def __init__(self, num_classes: int, dim: int) -> None:
        self.counts = np.zeros(num_classes)
        self.sums = np.zeros((num_classes, dim))
        self.products = np.zeros((dim, dim))

    def add(self, vectors: np.ndarray, rows: np.ndarray, classes: np.ndarray, weights: np.ndarray) -> None:
        """Vector number ``rows[i]`` of ``vectors`` [n, dim] counts for class ``classes[i]`` with ``weights[i]``."""
        if classes.size and not 0 <= classes.min() <= classes.max() < len(self.counts):
            raise KaldiError(f"a class of {classes.max()}, but there are only {len(self.counts)}")
        every = np.asarray(vectors, np.float64)
        chosen = every[rows]
        np.add.at(self.counts, classes, weights)
        np.add.at(self.sums, classes, weights[:, None] * chosen)
        of_row = np.bincount(rows, weights, len(every))
        self.products += (every.T * of_row) @ every

    def write(self, stream: OutputStream, binary: bool) -> None:
        """Files hold the sum of products about the means of the classes, in single precision."""
        seen = self.counts != 0.0
        within = self.products - (self.sums[seen].T / self.counts[seen]) @ self.sums[seen]
        basic_io.write_token(stream, binary, "<LDAACCS>")
        basic_io.write_token(stream, binary, "<VECSIZE>")
        basic_io.write_int32(stream, binary, self.sums.shape[1])
        basic_io.write_token(stream, binary, "<NUMCLASSES>")
        basic_io.write_int32(stream, binary, len(self.counts))
        basic_io.write_token(stream, binary, "<ZERO_ACCS>")
        matrix_io.write_vector(stream, binary, self.counts.astype(np.float32))
        basic_io.write_token(stream, binary, "<FIRST_ACCS>")
        matrix_io.write_matrix(stream, binary, self.sums.astype(np.float32))
        basic_io.write_token(stream, binary, "<SECOND_ACCS>")
        _write_packed(stream, binary, within.astype(np.float32))
        basic_io.write_token(stream, binary, "</LDAACCS>")


def _write_packed(stream: OutputStream, binary: bool, matrix: np.ndarray) -> None:
    """A symmetric matrix as its lower triangle, row by row (matrix/packed-matrix.cc)."""
    dim = len(matrix)
    if binary:
        basic_io.write_token(stream, binary, "FP")
        basic_io.write_int32(stream, binary, dim)
        stream.write(np.ascontiguousarray(matrix[np.tril_indices(dim)]).astype("<f4").tobytes())
        return
    stream.write(b"[\n")
    for i, row in enumerate(matrix):
        stream.write((" ".join(basic_io.format_float(float(v)) for v in row[: i + 1]) + " ").encode())
        stream.write(b"\n" if i < dim - 1 else b"]\n")
