"""fMLLR: an affine transform of a speaker's features to what a model expects (transform/fmllr-diag-gmm.cc).

With W = [A; b] the transform, w_i its row i, x+ a frame with a 1 appended, and sums over frames and Gaussians with
posteriors p, means m and variances v:  beta = sum p,  k_i = sum p m_i / v_i x+,  G_i = sum p / v_i x+ x+'.  The
objective is  beta log |det A| + sum_i (w_i' k_i - 1/2 w_i' G_i w_i).  Of one row it is largest at
w_i = G_i^-1 (alpha c + k_i), c being the row of cofactors with a 0 appended, and alpha the better root of
alpha^2 c'G_i^-1 c + alpha c'G_i^-1 k_i - beta = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc

UPDATE_TYPES = ("full", "diag", "offset", "none")
_AT_ONCE = 256  # frames, whose products fit into a cache


@dataclass
class FmllrOptions:
    """Kaldi's FmllrOptions."""

    fmllr_update_type: str = option("full", 'Update type for fMLLR ("full"|"diag"|"offset"|"none")')
    fmllr_min_count: float = option(500.0, "Minimum count required to update fMLLR")
    fmllr_num_iters: int = option(40, "Number of iterations in fMLLR update phase.")

    def check(self) -> None:
        """Raises KaldiError for an update that there is not."""
        if self.fmllr_update_type not in UPDATE_TYPES:
            raise KaldiError(
                f"Unknown fMLLR update type {self.fmllr_update_type}, --fmllr-update-type must be one of "
                f"{'|'.join(UPDATE_TYPES)}"
            )


class FmllrStatistics:
    """``count``: beta; ``linear``: float64 [dim, dim + 1], k_i; ``quadratic``: float64 [dim, dim + 1, dim + 1], G_i."""

    def __init__(self, dim: int) -> None:
        self.count = 0.0
        self.linear = np.zeros((dim, dim + 1))
        self.quadratic = np.zeros((dim, dim + 1, dim + 1))
        self._last: tuple[np.ndarray, ...] = ()

    @property
    def dim(self) -> int:
        return len(self.linear)

    def add(self, feats: np.ndarray, counts: np.ndarray, linear: np.ndarray, quadratic: np.ndarray) -> None:
        """Frames: features [frames, dim], and sums over their Gaussians of p [frames], p m / v and p / v [frames, dim].

        Raises KaldiError, and adds nothing, when the dimension is another one.
        """
        if feats.shape[1] != self.dim:
            raise KaldiError(f"features of dimension {feats.shape[1]}, but the model is for {self.dim}")
        rows, columns = np.tril_indices(self.dim + 1)
        total, products = np.zeros((self.dim, len(rows))), np.empty((len(rows), _AT_ONCE))
        for begin in range(0, len(feats), _AT_ONCE):
            part = slice(begin, begin + _AT_ONCE)
            count = len(feats[part])
            extended = np.ones((self.dim + 1, count))
            extended[:-1] = feats[part].T
            self.linear += linear[part].astype(np.float64).T @ extended.T
            for i in range(self.dim + 1):
                own = slice(i * (i + 1) // 2, (i + 1) * (i + 2) // 2)
                np.multiply(extended[: i + 1], extended[i], out=products[own, :count])
            total += quadratic[part].astype(np.float64).T @ products[:, :count].T
        self.count += float(counts.sum(dtype=np.float64))
        if len(feats):
            self._hold_back(feats, counts, linear, quadratic)
        self.quadratic[:, rows, columns] += total
        self.quadratic[:, columns, rows] = self.quadratic[:, rows, columns]

    def _hold_back(self, feats: np.ndarray, *sums: np.ndarray) -> None:
        """Remembers the last frame, and those right before that are equal to it."""
        differs = np.flatnonzero((feats != feats[-1]).any(axis=1))
        first = int(differs[-1]) + 1 if len(differs) else 0
        run = tuple(part[first:] for part in (feats, *sums))
        if not len(differs) and self._last and np.array_equal(self._last[0][-1], feats[-1]):
            run = tuple(np.concatenate(parts) for parts in zip(self._last, run, strict=True))
        self._last = run

    @property
    def settled_count(self) -> float:
        """Of all frames but those that drop_last_frame takes back."""
        return self.count - (float(self._last[1].sum(dtype=np.float64)) if self._last else 0.0)

    def drop_last_frame(self) -> None:
        """Takes back the frame that was added last, and those right before that are equal to it, as in digital silence:
        Kaldi's FmllrDiagGmmAccs holds them back until it estimates fMLLR, so that other estimates from it, of bases and
        of linear VTLN, lack them."""
        if self._last:
            feats, counts, linear, quadratic = self._last
            self.add(feats, -counts, -linear, -quadratic)
            self._last = ()
        if abs(self.count) < 1e-6:
            self.count = 0.0

    def transformed(self, matrix: np.ndarray) -> FmllrStatistics:
        """As if the features had been transformed by ``matrix`` [dim, dim] first."""
        extended = np.eye(self.dim + 1)
        extended[: self.dim, : self.dim] = matrix
        made = FmllrStatistics(self.dim)
        made.count, made.linear = self.count, self.linear @ extended.T
        made.quadratic = extended @ self.quadratic @ extended.T
        return made

    def objective(self, transform: np.ndarray) -> float:
        """Of a transform [dim, dim + 1]."""
        logdet = np.linalg.slogdet(transform[:, : self.dim])[1]
        quadratic = np.einsum("ij,ijk,ik->", transform, self.quadratic, transform, optimize=True)
        return float(self.count * logdet + (transform * self.linear).sum() - 0.5 * quadratic)

    def transform(self, options: FmllrOptions) -> tuple[np.ndarray, float]:
        """float32 [dim, dim + 1], and how much better the objective is than for the unit transform.

        The unit transform, with a warning, where there are too few frames or the statistics are singular.
        """
        options.check()
        unit = np.eye(self.dim, self.dim + 1)
        if not self.count > options.fmllr_min_count:
            log.warning(f"Not updating fMLLR since below min-count: count is {self.count:g}")
            return unit.astype(np.float32), 0.0
        if options.fmllr_update_type == "none":
            return unit.astype(np.float32), 0.0
        if options.fmllr_update_type == "offset":
            new = self._with_offset(unit)
        elif options.fmllr_update_type == "diag":
            new = self._diagonal(unit)
        else:
            new = self._full(unit, options.fmllr_num_iters)
        if not np.isfinite(new).all():
            log.warning(f"Not updating fMLLR since the statistics of {self.count:g} frames are singular")
            return unit.astype(np.float32), 0.0
        gain = self.objective(new) - self.objective(unit)
        if options.fmllr_update_type == "full":
            log.info(f"fMLLR objf improvement is {gain / self.count:g} per frame over {self.count:g} frames.")
            if gain < 0.0:
                log.warning("No applying fMLLR transform change because objective function did not increase.")
                return unit.astype(np.float32), 0.0
        return new.astype(np.float32), gain

    def _full(self, start: np.ndarray, iterations: int) -> np.ndarray:
        if np.linalg.matrix_rank(self.quadratic, hermitian=True).min() <= self.dim:
            return np.full_like(start, np.nan)
        inverses = np.linalg.inv(self.quadratic)
        matrix = start
        shifts = np.einsum("ijk,ik->ij", inverses, self.linear)  # G_i^-1 k_i
        for _ in range(iterations):
            cofactors = np.linalg.inv(matrix[:, : self.dim]).T
            matrix = _csrc.fmllr_rows_updated(inverses, self.linear, shifts, self.count, cofactors, matrix)
        return matrix

    def _diagonal(self, start: np.ndarray) -> np.ndarray:
        """Each feature scaled and shifted alone: with the shift solved for, the scale is a root of a quadratic."""
        matrix, dim, i = start.copy(), self.dim, np.arange(self.dim)
        squares, sums = self.quadratic[i, i, i], self.quadratic[i, dim, i]
        weights, shifted = self.quadratic[i, dim, dim], self.linear[:, dim]
        with np.errstate(divide="ignore", invalid="ignore"):
            a = sums**2 / weights - squares
            b = self.linear[i, i] - sums * shifted / weights
            scales = (-b - np.sqrt(b * b - 4 * a * self.count)) / (2 * a)
            matrix[i, i], matrix[i, dim] = scales, (shifted - scales * sums) / weights
        return matrix

    def _with_offset(self, start: np.ndarray) -> np.ndarray:
        matrix, dim, i = start.copy(), self.dim, np.arange(self.dim)
        with np.errstate(divide="ignore", invalid="ignore"):
            matrix[i, dim] = (self.linear[:, dim] - self.quadratic[i, i, dim]) / self.quadratic[i, dim, dim]
        return matrix


def step_size(e1: float, e2: float, beta: float) -> float:
    """alpha: which of the two roots gives the larger  beta log |alpha e1 + e2| - 1/2 alpha^2 e1.

    ``e1``: c'G_i^-1 c; ``e2``: c'G_i^-1 k_i.
    """
    return _csrc.fmllr_step_size(e1, e2, beta)
