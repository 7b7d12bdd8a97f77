"""Linear VTLN: a speaker gets the one of some linear transforms, each like a warp of frequencies, that fits best
(transform/lvtln.cc)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.matrix_io import read_matrix, write_matrix
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.transforms.fmllr import FmllrOptions, FmllrStatistics
from kaldi_bridge.transforms.linear import composed

NORM_TYPES = ("offset", "none", "diag")


class LinearVtln:
    """One transform for each class.

    ``matrices``: float32 [classes, dim, dim]; ``log_determinants``, ``warps``: float32 [classes]; ``default``: a class.
    """

    def __init__(self, dim: int, num_classes: int, default: int) -> None:
        """Unit matrices. Raises KaldiError for a default class that is none."""
        if dim <= 0 or not 0 <= default < num_classes:
            raise KaldiError(f"{num_classes} classes of dimension {dim} cannot have the default class {default}")
        self.matrices = np.tile(np.eye(dim, dtype=np.float32), (num_classes, 1, 1))
        self.log_determinants = np.zeros(num_classes, np.float32)
        self.warps = np.ones(num_classes, np.float32)
        self.default = default

    @property
    def dim(self) -> int:
        return self.matrices.shape[1]

    def set_matrix(self, number: int, matrix: np.ndarray) -> None:
        """Of one class. Raises KaldiError when there is no such class."""
        if not 0 <= number < len(self.matrices):
            raise KaldiError(f"there is no class {number}: they are numbered from 0 to {len(self.matrices) - 1}")
        self.matrices[number] = matrix
        self.log_determinants[number] = np.linalg.slogdet(matrix.astype(np.float64))[1]

    def best(
        self, statistics: FmllrStatistics, norm_type: str = "offset", logdet_scale: float = 1.0
    ) -> tuple[int, np.ndarray, float]:
        """The class, its transform float32 [dim, dim + 1], and how much better the objective is than without one.

        After a class's matrix comes fMLLR of the kind ``norm_type``. Without frames it is the default class. Raises
        KaldiError for statistics of another dimension.
        """
        dim = self.dim
        if statistics.dim != dim:
            raise KaldiError(f"statistics of dimension {statistics.dim}, but the transforms are of {dim}")
        if statistics.count == 0.0:
            log.warning("no stats, returning default transform")
            return self.default, np.hstack([self.matrices[self.default], np.zeros((dim, 1), np.float32)]), 0.0
        options = FmllrOptions(fmllr_update_type=norm_type, fmllr_min_count=0.0)
        candidates = []
        for number, matrix in enumerate(self.matrices):
            after, _ = statistics.transformed(matrix).transform(options)
            transform = composed(after, matrix)
            penalty = statistics.count * (logdet_scale - 1.0) * float(self.log_determinants[number])
            candidates.append((statistics.objective(transform.astype(np.float64)) + penalty, number, transform))
        value, number, transform = max(candidates, key=lambda candidate: candidate[0])
        return number, transform, value - statistics.objective(np.eye(dim, dim + 1))

    @classmethod
    def read(cls, rxfilename: str) -> LinearVtln:
        """Raises KaldiError when the file holds no such transforms."""
        with open_input(rxfilename) as stream:
            binary = basic_io.read_header(stream)
            basic_io.expect_token(stream, binary, "<LinearVtln>")
            count = basic_io.read_int32(stream, binary)
            if count <= 0 or not stream.holds(count):
                raise KaldiError(f"{stream.where()}: {count} is no number of classes, or the file is truncated")
            matrices, logdets, warps = [], [], []
            for _ in range(count):
                basic_io.expect_token(stream, binary, "<A>")
                matrices.append(read_matrix(stream, binary))
                basic_io.expect_token(stream, binary, "<logdet>")
                logdets.append(basic_io.read_float(stream, binary))
                basic_io.expect_token(stream, binary, "<warp>")
                warps.append(basic_io.read_float(stream, binary))
            default = (count + 1) // 2  # Kaldi's guess for old files, which do not say
            if basic_io.read_token(stream, binary) == "<DefaultClass>":
                default = basic_io.read_int32(stream, binary)
                basic_io.expect_token(stream, binary, "</LinearVtln>")
            dim = len(matrices[0])
            if any(matrix.shape != (dim, dim) for matrix in matrices):
                raise KaldiError(f"{stream.name}: transforms that are not all square and of one size")
            made = cls(dim, count, default)
        made.matrices = np.array(matrices)
        made.log_determinants, made.warps = np.array(logdets, np.float32), np.array(warps, np.float32)
        return made

    def write(self, wxfilename: str, binary: bool = True) -> None:
        newline = b"" if binary else b"\n"
        with open_output(wxfilename) as stream:
            basic_io.write_header(stream, binary)
            basic_io.write_token(stream, binary, "<LinearVtln>")
            stream.write(newline)
            basic_io.write_int32(stream, binary, len(self.matrices))
            for matrix, logdet, warp in zip(self.matrices, self.log_determinants, self.warps, strict=True):
                basic_io.write_token(stream, binary, "<A>")
                write_matrix(stream, binary, matrix)
                basic_io.write_token(stream, binary, "<logdet>")
                basic_io.write_float(stream, binary, float(logdet))
                basic_io.write_token(stream, binary, "<warp>")
                basic_io.write_float(stream, binary, float(warp))
                stream.write(newline)
            basic_io.write_token(stream, binary, "<DefaultClass>")
            basic_io.write_int32(stream, binary, self.default)
            basic_io.write_token(stream, binary, "</LinearVtln>")


class WarpRegression:
    """The linear map that makes features most like the same ones with frequencies warped (gmm-train-lvtln-special).

    Sums over frames with weights: ``xx`` [dim + 1, dim + 1] and ``xy`` [dim + 1, dim] of features x with a 1 appended
    and warped ones y, ``yy`` and ``differences`` [dim] of the squares of y and x - y.
    """

    def __init__(self, dim: int) -> None:
        self.xx, self.xy = np.zeros((dim + 1, dim + 1)), np.zeros((dim + 1, dim))
        self.yy, self.differences = np.zeros(dim), np.zeros(dim)

    @property
    def weight(self) -> float:
        return float(self.xx[-1, -1])

    def add(self, feats: np.ndarray, warped: np.ndarray, weights: np.ndarray) -> None:
        """Features and warped features [frames, dim], weights [frames]. Raises KaldiError when their sizes differ."""
        dim = len(self.yy)
        if feats.shape != warped.shape or feats.shape[1] != dim or len(weights) != len(feats):
            raise KaldiError(
                f"features of size {feats.shape[0]} x {feats.shape[1]}, warped {warped.shape[0]} x {warped.shape[1]}, "
                f"{len(weights)} weights, transforms of dimension {dim}: they do not fit together"
            )
        x, y = np.hstack([feats, np.ones((len(feats), 1))]).astype(np.float64), warped.astype(np.float64)
        weighted = weights[:, None].astype(np.float64)
        self.xx += (x * weighted).T @ x
        self.xy += (x * weighted).T @ y
        self.yy += (weighted * y**2).sum(axis=0)
        self.differences += (weighted * (x[:, :-1] - y) ** 2).sum(axis=0)

    def least_squares(self, normalize_var: bool = False) -> np.ndarray:
        """float32 [dim, dim], with which the squared error is least; ``normalize_var``: and variances stay.

        Raises KaldiError when the features are singular.
        """
        total, sums = self._checked_weight(), self.xx[-1]
        try:
            rows = np.linalg.solve(self.xx, self.xy).T
        except np.linalg.LinAlgError:
            raise KaldiError("the features are singular: too few frames, or one of them never varies") from None
        matrix = rows[:, :-1].copy()
        for i, row in enumerate(rows):
            quadratic = row @ self.xx @ row
            error = (quadratic - 2 * row @ self.xy[:, i] + self.yy[i]) / total
            scatter = self.xx[i, i] / total
            log.info(
                f"For dimension {i}, sum-squared error in linear approximation is {error:g}, versus feature-difference "
                f"{self.differences[i] / total:g}, orig-sumsq is {scatter:g}"
            )
            if normalize_var:
                before, after = scatter - (sums[i] / total) ** 2, quadratic / total - (row @ sums / total) ** 2
                scale = np.sqrt(before / after)
                log.info(
                    f"For dimension {i}, variance of original and transformed data is {before:g} and {after:g} "
                    f"respectively; scaling matrix row by {scale:g} to make them equal."
                )
                matrix[i] *= scale
        return matrix.astype(np.float32)

    def keeping_covariance(self) -> np.ndarray:
        """float32 [dim, dim], of the maps after which the covariance is the same, that with the least error.

        Raises KaldiError when the features are singular.
        """
        total = self._checked_weight()
        mean = self.xx[:-1, -1] / total
        try:
            root = np.linalg.cholesky(self.xx[:-1, :-1] / total - np.outer(mean, mean))
        except np.linalg.LinAlgError:
            raise KaldiError("the features are singular: too few frames, or one of them never varies") from None
        inverse = np.linalg.inv(root)
        products = inverse @ (self.xy[:-1] - np.outer(mean, self.xy[-1])) @ inverse.T
        left, values, right = np.linalg.svd(products)
        log.info(f"Singular values of P are: [ {' '.join(f'{value:g}' for value in values / total)} ]")
        return (root @ (right.T @ left.T) @ inverse).astype(np.float32)

    def _checked_weight(self) -> float:
        if not self.weight > 0:
            raise KaldiError("no frames of features and warped features: nothing to estimate from")
        return self.weight
