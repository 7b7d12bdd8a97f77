"""fMLLR for little data: a transform is a weighted sum of basis matrices (transform/basis-fmllr-diag-gmm.cc).

The basis is found in training. With P the gradient of the fMLLR objective at the unit transform, its rows one after
the other, the scatter is  sum over speakers of P P' / beta.  In coordinates in which the expected second derivative
H = C C' is the unit matrix, the basis is the eigenvectors of the scatter, the largest eigenvalue first. A speaker gets
as many weights as there is data for, found by steps along the gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.matrix_io import (
    pack_symmetric,
    read_matrix,
    read_packed,
    unpack_symmetric,
    write_matrix,
    write_packed,
)
from kaldi_bridge.io.output_stream import OutputStream
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.io.sums import sum_of_files
from kaldi_bridge.transforms.fmllr import FmllrStatistics


@dataclass
class BasisFmllrOptions:
    """Kaldi's BasisFmllrOptions."""

    num_iters: int = option(10, "Number of iterations in basis fMLLR update during testing")
    size_scale: float = option(0.2, "Scale (< 1.0) on speaker occupancy that gives number of basis elements.")
    fmllr_min_count: float = option(50.0, "Minimum count required to update fMLLR")
    step_size_iters: int = option(3, "Number of iterations in computing step size")


_SPEAKERS = 64  # whose gradients are summed up by one matrix product


class GradientScatter:
    """``count``: beta."""

    def __init__(self, dim: int) -> None:
        self.count = 0.0
        self._scatter = np.zeros((dim * (dim + 1), dim * (dim + 1)))
        self._gradients: list[np.ndarray] = []  # of speakers, over the roots of their counts: not yet in the scatter

    @property
    def scatter(self) -> np.ndarray:
        """float64 [dim (dim + 1), dim (dim + 1)]."""
        self._sum_up()
        return self._scatter

    def _sum_up(self) -> None:
        if self._gradients:
            some = np.array(self._gradients)
            self._scatter += some.T @ some
            self._gradients.clear()

    def accumulate(self, statistics: FmllrStatistics) -> None:
        """One speaker; nothing where there are no frames of it."""
        if statistics.count > 0:
            gradient = _gradient(statistics, np.eye(statistics.dim, statistics.dim + 1)).ravel()
            self.count += statistics.count
            self._gradients.append(gradient / np.sqrt(statistics.count))
            if len(self._gradients) == _SPEAKERS:
                self._sum_up()

    def add(self, other: GradientScatter) -> None:
        """Raises KaldiError where the other is of another size."""
        if other.scatter.shape != self.scatter.shape:
            raise KaldiError(f"gradient scatter of size {len(other.scatter)}, not {len(self.scatter)}")
        self.count += other.count
        self._scatter += other.scatter

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> GradientScatter:
        """Raises KaldiError when the stream holds no gradient scatter."""
        basic_io.expect_token(stream, binary, "<BASISFMLLRACCUS>")
        basic_io.expect_token(stream, binary, "<BETA>")
        made = cls(0)
        made.count = basic_io.read_double(stream, binary)
        basic_io.expect_token(stream, binary, "<GRADSCATTER>")
        made._scatter = unpack_symmetric(read_packed(stream, binary, np.float64))
        basic_io.expect_token(stream, binary, "</BASISFMLLRACCUS>")
        return made

    def write(self, stream: OutputStream, binary: bool) -> None:
        basic_io.write_token(stream, binary, "<BASISFMLLRACCUS>")
        basic_io.write_token(stream, binary, "<BETA>")
        basic_io.write_double(stream, binary, self.count)
        stream.write(b"" if binary else b"\n")
        basic_io.write_token(stream, binary, "<GRADSCATTER>")
        write_packed(stream, binary, pack_symmetric(self.scatter.astype(np.float32)))
        basic_io.write_token(stream, binary, "</BASISFMLLRACCUS>")


def read_sum(rxfilenames: Sequence[str], dim: int) -> GradientScatter:
    """The sum over several files, for a model of dimension ``dim``. Raises KaldiError, naming a file of another one."""
    return sum_of_files(GradientScatter.read, rxfilenames, GradientScatter(dim))


class Basis:
    """``matrices``: float32 [size, dim, dim + 1], those that matter most first."""

    def __init__(self, matrices: np.ndarray) -> None:
        self.matrices = matrices.astype(np.float32, copy=False)

    @classmethod
    def estimate(cls, scatter: GradientScatter, second_derivative: np.ndarray) -> Basis:
        """Raises KaldiError when there was no data, or the expected second derivative is not positive definite."""
        if not scatter.count > 0:
            raise KaldiError("the gradient scatter is of no frames")
        try:
            inverse = np.linalg.inv(np.linalg.cholesky(second_derivative))
        except np.linalg.LinAlgError:
            raise KaldiError("the preconditioner of the model is not positive definite") from None
        values, vectors = np.linalg.eigh(inverse @ scatter.scatter @ inverse.T)
        order = np.argsort(-values, kind="stable")
        per_frame = np.maximum(values[order], 0.0) / (2 * scatter.count)
        shown = " ".join(f"{value:g}" for value in per_frame)
        log.info(f"The [per-frame] eigenvalues sorted from largest to smallest: [ {shown} ]")
        log.info(f"Sum of the [per-frame] eigenvalues, that is the log-likelihood improvement, is {per_frame.sum():g}")
        dim = int(len(values) ** 0.5)
        return cls((vectors[:, order].T @ inverse).reshape(-1, dim, dim + 1))

    @classmethod
    def read(cls, rxfilename: str) -> Basis:
        """Raises KaldiError when the file holds no basis."""
        with open_input(rxfilename) as stream:
            binary = basic_io.read_header(stream)
            basic_io.expect_token(stream, binary, "<BASISFMLLRPARAM>")
            basic_io.expect_token(stream, binary, "<NUMBASIS>")
            size = basic_io.read_uint32(stream, binary)
            basic_io.expect_token(stream, binary, "<BASIS>")
            if not size or not stream.holds(size):
                raise KaldiError(f"{stream.where()}: {size} is no number of basis matrices, or the file is truncated")
            matrices = [read_matrix(stream, binary) for _ in range(size)]
            basic_io.expect_token(stream, binary, "</BASISFMLLRPARAM>")
            rows, columns = matrices[0].shape
            if columns != rows + 1 or any(matrix.shape != (rows, columns) for matrix in matrices):
                raise KaldiError(f"{stream.name}: basis matrices that are not all of size n x n + 1")
        return cls(np.array(matrices))

    def write(self, wxfilename: str, binary: bool = True) -> None:
        with open_output(wxfilename) as stream:
            basic_io.write_header(stream, binary)
            basic_io.write_token(stream, binary, "<BASISFMLLRPARAM>")
            basic_io.write_token(stream, binary, "<NUMBASIS>")
            basic_io.write_uint32(stream, binary, len(self.matrices))
            basic_io.write_token(stream, binary, "<BASIS>")
            for matrix in self.matrices:
                write_matrix(stream, binary, matrix)
            basic_io.write_token(stream, binary, "</BASISFMLLRPARAM>")

    def transform(
        self, statistics: FmllrStatistics, options: BasisFmllrOptions, start: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """float32 [dim, dim + 1], the weights float32 [used], and how much better the objective is.

        ``start``: the transform that it begins with, else the unit transform; it and no weights where there are too few
        frames. Raises KaldiError for another dimension.
        """
        dim = self.matrices.shape[1]
        if statistics.dim != dim:
            raise KaldiError(f"statistics of dimension {statistics.dim}, but the basis is of {dim}")
        matrix = np.eye(dim, dim + 1) if start is None else start.astype(np.float64)
        if statistics.count < options.fmllr_min_count:
            log.warning(f"Not updating fMLLR since count is below min-count: {statistics.count:g}")
            return matrix.astype(np.float32), np.zeros(0, np.float32), 0.0
        size = int(min(len(self.matrices), float(np.float32(options.size_scale)) * statistics.count))
        used = self.matrices[:size].astype(np.float64)
        weights, before = np.zeros(len(used)), statistics.objective(matrix)
        for _ in range(options.num_iters):
            slopes = np.einsum("nij,ij->n", used, _gradient(statistics, matrix))
            direction = np.einsum("n,nij->ij", slopes, used)
            step = _step_size(statistics, matrix, direction, options.step_size_iters)
            matrix += step * direction
            weights += step * slopes
        gain = statistics.objective(matrix) - before
        return matrix.astype(np.float32), weights.astype(np.float32), gain


def second_derivative(weights: np.ndarray, means: np.ndarray, variances: np.ndarray, num_pdfs: int) -> np.ndarray:
    """H, float64 [dim (dim + 1), dim (dim + 1)], as a model expects it; of all its Gaussians [gaussians(, dim)]."""
    dim = means.shape[1]
    extended = np.hstack([means, np.ones((len(means), 1))])
    spread = np.hstack([variances, np.zeros((len(means), 1))])
    alpha = weights[:, None] / num_pdfs / variances
    quadratic = np.einsum("md,mi,mj->dij", alpha, extended, extended, optimize=True)
    i = np.arange(dim + 1)
    quadratic[:, i, i] += alpha.T @ spread
    result = np.zeros((dim, dim + 1, dim, dim + 1))
    d = np.arange(dim)
    result[d, :, d, :] = quadratic
    result[d[:, None], d[None, :], d[None, :], d[:, None]] += 1.0
    return result.reshape(dim * (dim + 1), dim * (dim + 1))


def _gradient(statistics: FmllrStatistics, matrix: np.ndarray) -> np.ndarray:
    """Of the fMLLR objective by the transform, [dim, dim + 1]."""
    gradient = statistics.linear - np.einsum("ijk,ik->ij", statistics.quadratic, matrix)
    gradient[:, :-1] += statistics.count * np.linalg.inv(matrix[:, :-1]).T
    return gradient


def _step_size(statistics: FmllrStatistics, matrix: np.ndarray, direction: np.ndarray, iterations: int) -> float:
    """How far to go from ``matrix``: Newton's method on the objective, its steps halved where it falls."""
    beta, square = statistics.count, matrix[:, :-1]
    slope = float(((statistics.linear - np.einsum("ijk,ik->ij", statistics.quadratic, matrix)) * direction).sum())
    curve = float(np.einsum("ij,ijk,ik->", direction, statistics.quadratic, direction, optimize=True))

    def objective(step: float) -> float:
        logdet = np.linalg.slogdet(square + step * direction[:, :-1])[1]
        return float(beta * logdet + step * slope - 0.5 * step * step * curve)

    step, value = 0.0, objective(0.0)
    for _ in range(iterations):
        old = value
        ratio = np.linalg.solve(square + step * direction[:, :-1], direction[:, :-1])
        first = beta * np.trace(ratio) + slope - step * curve
        second = min(-curve - beta * np.trace(ratio @ ratio), -curve / 10.0)
        change = -first / second if second else 0.0
        step += change
        while (value := objective(step)) - old < -1e-4 * beta and change > 1e-5:
            change /= 2
            step -= change
    return step
