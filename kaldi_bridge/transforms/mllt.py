"""MLLT, a global linear transform for which diagonal covariances fit best (transform/mllt.cc).

With A the transform, a_i its row i, and G_i the sum over frames t and Gaussians m of the posterior times
(x_t - m) (x_t - m)' / v_i, the objective is  beta log |det A| - 1/2 sum_i a_i' G_i a_i.  Of one row, with c the
corresponding row of the inverse of A', it is largest at  a_i = G_i^-1 c sqrt(beta / c' G_i^-1 c)  (Gales 1999, 22).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.matrix_io import pack_symmetric, read_packed, unpack_symmetric, write_packed
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.sums import sum_of_files

ITERATIONS = 200
_AT_ONCE = 2048


class MlltStatistics:
    """``count``: beta; ``scatter``: float64 [dim, dim, dim], G_i."""

    def __init__(self, dim: int) -> None:
        self.count = 0.0
        self.scatter = np.zeros((dim, dim, dim))

    @property
    def dim(self) -> int:
        return len(self.scatter)

    def accumulate(self, deviations: np.ndarray, inverse_variances: np.ndarray, posteriors: np.ndarray) -> None:
        """Deviations x - m [n, dim] from Gaussians of 1 / v [n, dim] with posteriors [n]."""
        self.count += float(posteriors.sum(dtype=np.float64))
        weights = (inverse_variances * posteriors[:, None]).astype(np.float64)
        rows, columns = np.tril_indices(self.dim)
        total = np.zeros((self.dim, len(rows)))
        for begin in range(0, len(posteriors), _AT_ONCE):
            own = deviations[begin : begin + _AT_ONCE].astype(np.float64)
            total += weights[begin : begin + _AT_ONCE].T @ (own[:, rows] * own[:, columns])
        self.scatter[:, rows, columns] += total
        self.scatter[:, columns, rows] = self.scatter[:, rows, columns]

    def add(self, other: MlltStatistics) -> None:
        """Raises KaldiError where the other's are of another dimension."""
        if self.dim != other.dim:
            raise KaldiError(f"MLLT statistics of dimension {other.dim}, those before of {self.dim}")
        self.count += other.count
        self.scatter += other.scatter

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> MlltStatistics:
        """Raises KaldiError when the stream holds no such statistics."""
        basic_io.expect_token(stream, binary, "<MlltAccs>")
        count = basic_io.read_double(stream, binary)
        dim = basic_io.read_int32(stream, binary)
        basic_io.expect_token(stream, binary, "<G>")
        if dim <= 0 or not stream.holds(dim):
            raise KaldiError(f"{stream.where()}: {dim} is no dimension, or the file is truncated")
        parts = [unpack_symmetric(read_packed(stream, binary, np.float64)) for _ in range(dim)]
        basic_io.expect_token(stream, binary, "</MlltAccs>")
        if any(part.shape != (dim, dim) for part in parts):
            raise KaldiError(f"{stream.name}: statistics whose sizes do not fit their dimension {dim}")
        made = cls(0)
        made.count, made.scatter = count, np.array(parts)
        return made

    def write(self, stream: OutputStream, binary: bool) -> None:
        newline = b"" if binary else b"\n"
        basic_io.write_token(stream, binary, "<MlltAccs>")
        stream.write(newline)
        basic_io.write_double(stream, binary, self.count)
        basic_io.write_int32(stream, binary, self.dim)
        basic_io.write_token(stream, binary, "<G>")
        stream.write(newline)
        for part in self.scatter:
            write_packed(stream, binary, pack_symmetric(part))
        basic_io.write_token(stream, binary, "</MlltAccs>")
        stream.write(newline)

    def transform(self) -> tuple[np.ndarray, float]:
        """float32 [dim, dim], and how much better the objective is than without a transform.

        Raises KaldiError when the statistics are singular: too few frames, or a feature that never varies.
        """
        beta, dim = self.count, self.dim
        if beta < 10 * dim:
            how = "very small" if beta > 2 * dim else "insufficient"
            log.warning(f"Mllt:Update, {how} count {beta:g}")
        try:
            inverses = np.linalg.inv(self.scatter)
        except np.linalg.LinAlgError:
            raise KaldiError(f"the statistics of {beta:g} frames are singular: no MLLT can be estimated") from None
        matrix, gain = np.eye(dim), 0.0
        for iteration in range(ITERATIONS):
            cofactors = np.linalg.inv(matrix).T
            for i in range(dim):
                row, cofactor = matrix[i], cofactors[i]
                direction = inverses[i] @ cofactor
                new = direction * np.sqrt(beta / (cofactor @ direction))
                before = beta * np.log(abs(row @ cofactor)) - 0.5 * row @ self.scatter[i] @ row
                after = beta * np.log(abs(new @ cofactor)) - 0.5 * new @ self.scatter[i] @ new
                if not after >= before - abs(before) * 1e-5:
                    raise KaldiError("Objective decrease in MLLT update.")
                gain += after - before
                # The inverse after a change of one row (Sherman and Morrison).
                cofactors -= np.outer(cofactors @ (new - row), cofactor) / (new @ cofactor)
                matrix[i] = new
            if iteration < 10 or iteration % 10 == 0:
                log.info(
                    f"MLLT objective improvement per frame by {iteration}'th iteration is {gain / beta:g} per frame "
                    f"over {beta:g} frames."
                )
        return matrix.astype(np.float32), gain


def read_sum(rxfilenames: Sequence[str]) -> MlltStatistics:
    """The sum of the statistics of several files. Raises KaldiError, naming the file that does not fit the first."""
    return sum_of_files(MlltStatistics.read, rxfilenames)
