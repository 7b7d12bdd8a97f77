"""Principal components of features or of single vectors (bin/est-pca.cc)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError, KaldiError

SMALLEST_VARIANCE = 1e-15


class PcaStatistics:
    """The number of rows, their sum [dim] and the sum of their outer products [dim, dim]."""

    def __init__(self) -> None:
        self.count = 0
        self._sum, self._products = np.zeros(0), np.zeros((0, 0))

    def add(self, rows: np.ndarray) -> None:
        """Rows [n, dim]. Raises EntryError when they are of another dimension than those before."""
        rows = rows.astype(np.float64)
        if not self.count:
            self._sum, self._products = np.zeros(rows.shape[1]), np.zeros((rows.shape[1], rows.shape[1]))
        if rows.shape[1] != len(self._sum):
            raise EntryError(f"Feature dimension mismatch {len(self._sum)} vs. {rows.shape[1]}")
        self._sum += rows.sum(axis=0)
        self._products += rows.T @ rows
        self.count += len(rows)

    def transform(self, dim: int = 0, normalize_variance: bool = False, normalize_mean: bool = False) -> np.ndarray:
        """float32 [dim of the rows, the same], the directions of the largest variance first; their signs are arbitrary.

        ``normalize_variance``: the result of each direction has variance 1. ``normalize_mean``: one column more, an
        offset that makes the mean 0. ``dim``: of how many, if not of all, to tell the sum of variances. Raises
        KaldiError when there was no data, or less than ``dim`` dimensions.
        """
        if not self.count:
            raise KaldiError("No data accumulated.")
        if dim > len(self._sum):
            raise KaldiError(f"Final dimension {dim} is greater than feature dimension {len(self._sum)}")
        if not np.isfinite(self._products).all():
            raise KaldiError("features that are infinite or not a number")
        mean = self._sum / self.count
        variances, directions = np.linalg.eigh(self._products / self.count - np.outer(mean, mean))
        variances, matrix = variances[::-1], directions[:, ::-1].T
        log.info(f"Eigenvalues in PCA are  [ {' '.join(f'{v:g}' for v in variances)} ]\n")
        log.info(
            f"Sum of PCA eigenvalues is {variances.sum():g}, sum of kept eigenvalues is "
            f"{variances[: dim or None].sum():g}"
        )
        if normalize_variance:
            for variance in variances[variances < SMALLEST_VARIANCE]:
                log.warning(
                    f"--normalize-variance option: very tiny variance {variance:g} encountered, treating as "
                    f"{SMALLEST_VARIANCE:g}"
                )
            matrix = matrix / np.sqrt(np.maximum(variances, SMALLEST_VARIANCE))[:, np.newaxis]
        if normalize_mean:
            matrix = np.hstack([matrix, -(matrix @ mean)[:, np.newaxis]])
        return matrix.astype(np.float32)
