"""fMLLR of features before they are spliced and transformed, for a model of what comes after (transform/fmllr-raw.cc).

Of n neighbouring frames of m raw features each, s = [s_1 ... s_n], the model sees the first dimensions of T s, a full
LDA+MLLT; of its other dimensions it expects zero means and unit variances. A transform W [m, m + 1] changes s_j to
W s_j+, with s_j+ = [s_j; 1], so that dimension l of what the model sees is  x_l = sum_j sum_i T_l,ji w_i' s_j+,  linear
in the rows w_i of W. With sums over frames and Gaussians with posteriors p, means mu and variances v:

    objective  n beta log |det A| + v'w - 1/2 w'Qw,    w all rows of W = [A; b] one after the other,
    v_i = sum_l sum_j T_l,ji sum p mu_l / v_l s_j+,    Q_ii' = sum_l sum_jj' T_l,ji T_l,j'i' sum p / v_l s_j+ s_j'+'.

Row after row is set to where the objective is largest, as in fmllr.py, with what the other rows contribute in k.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.transforms.fmllr import step_size

_AT_ONCE = 2048


@dataclass
class RawFmllrOptions:
    """Kaldi's FmllrRawOptions."""

    fmllr_min_count: float = option(100.0, "Minimum count required to update fMLLR")
    fmllr_num_iters: int = option(20, "Number of iterations in fMLLR update phase.")


class FullTransform:
    """The full LDA+MLLT, float32 [n m, n m]; a column of offsets behind it is not used, as in Kaldi.

    Raises KaldiError for a matrix of another shape, or when ``raw_dim``, m, does not divide its size or the model's
    dimension is larger.
    """

    def __init__(self, matrix: np.ndarray, raw_dim: int, model_dim: int) -> None:
        rows, columns = matrix.shape
        if columns not in (rows, rows + 1):
            raise KaldiError(
                f"a full LDA+MLLT transform is square, or has one column more, not {rows} x {columns}: are the "
                "rejected rows there (nnet-pytorch-get-full-lda-mat)?"
            )
        if raw_dim <= 0 or rows % raw_dim:
            raise KaldiError(f"--raw-feat-dim={raw_dim} must divide the {rows} dimensions of the transform")
        if model_dim > rows:
            raise KaldiError(f"the model has {model_dim} dimensions, but the full transform only {rows}")
        self.matrix, self.raw_dim, self.model_dim = matrix[:, :rows], raw_dim, model_dim

    @property
    def dim(self) -> int:
        """Of spliced features."""
        return len(self.matrix)

    def projected(self, spliced: np.ndarray) -> np.ndarray:
        """What the model sees of spliced features [frames, dim]: float32 [frames, model_dim].

        Raises KaldiError for features of another dimension.
        """
        if spliced.shape[1] != self.dim:
            raise KaldiError(
                f"features of dimension {spliced.shape[1]}, but the transform is for {self.dim}: spliced ones are "
                "needed, not yet transformed"
            )
        return spliced @ self.matrix[: self.model_dim].T


class RawFmllrStatistics:
    """``linear``: float64 [model_dim + 1, dim + 1], sums of p mu_l / v_l s+; ``quadratic``: float64 [model_dim + 1,
    dim + 1, dim + 1], sums of p / v_l s+ s+'. The last is of all rejected dimensions; s+ = [s; 1]."""

    def __init__(self, transform: FullTransform) -> None:
        self._transform = transform
        size, columns = transform.model_dim + 1, transform.dim + 1
        self.count = 0.0
        self.linear = np.zeros((size, columns))
        self.quadratic = np.zeros((size, columns, columns))

    def add(self, spliced: np.ndarray, counts: np.ndarray, linear: np.ndarray, quadratic: np.ndarray) -> None:
        """Frames: spliced features [frames, dim], and sums over their Gaussians of p [frames], p mu / v and p / v
        [frames, model_dim]."""
        rows, columns = np.tril_indices(self._transform.dim + 1)
        total = np.zeros((len(self.linear), len(rows)))
        for begin in range(0, len(spliced), _AT_ONCE):
            part = slice(begin, begin + _AT_ONCE)
            extended = np.hstack([spliced[part], np.ones((len(spliced[part]), 1))]).astype(np.float64)
            self.linear[:-1] += linear[part].astype(np.float64).T @ extended
            weights = np.hstack([quadratic[part], counts[part, None]]).astype(np.float64)
            total += weights.T @ (extended[:, rows] * extended[:, columns])
        self.count += float(counts.sum(dtype=np.float64))
        self.quadratic[:, rows, columns] += total
        self.quadratic[:, columns, rows] = self.quadratic[:, rows, columns]

    def objective_terms(self) -> tuple[np.ndarray, np.ndarray]:
        """v, float64 [m, m + 1], and Q, float64 [m, m + 1, m, m + 1]."""
        transform = self._transform
        raw, dim, model_dim = transform.raw_dim, transform.dim, transform.model_dim
        splices = dim // raw
        # Where s_j+ is in s+: m places, and the last one.
        places = np.hstack([np.arange(dim).reshape(splices, raw), np.full((splices, 1), dim)])
        weights = transform.matrix.astype(np.float64).reshape(dim, splices, raw)
        linear = np.einsum("lji,lja->ia", weights[:model_dim], self.linear[:-1][:, places])
        quadratic = np.zeros((raw, raw + 1, raw, raw + 1))
        for own, sums in zip(weights, self.quadratic[:-1], strict=False):
            parts = sums[places[:, :, None, None], places]  # [j, a, j', b]
            quadratic += np.einsum("ji,jakb,kh->iahb", own, parts, own, optimize=True)
        parts = self.quadratic[-1][places[:, :, None, None], places]
        products = np.einsum("lji,lkh->jikh", weights[model_dim:], weights[model_dim:], optimize=True)
        quadratic += np.einsum("jikh,jakb->iahb", products, parts, optimize=True)
        return linear, quadratic

    def transform(self, options: RawFmllrOptions) -> tuple[np.ndarray, float]:
        """float32 [m, m + 1], and how much better the objective is than for the unit transform.

        The unit transform where there are too few frames or the statistics are singular or not finite, with a warning.
        """
        raw = self._transform.raw_dim
        unit = np.eye(raw, raw + 1)
        if self.count < options.fmllr_min_count:
            log.warning(
                f"Not updating (raw) fMLLR since count {self.count:g} is less than min count "
                f"{options.fmllr_min_count:g}"
            )
            return unit.astype(np.float32), 0.0
        linear, quadratic = self.objective_terms()
        beta = self.count * (self._transform.dim // raw)

        def objective(matrix: np.ndarray) -> float:
            logdet = np.linalg.slogdet(matrix[:, :raw])[1]
            square = np.einsum("ia,iahb,hb->", matrix, quadratic, matrix, optimize=True)
            return float(beta * logdet + (matrix * linear).sum() - 0.5 * square)

        own = quadratic[np.arange(raw), :, np.arange(raw)]
        if not np.isfinite(own).all() or np.linalg.matrix_rank(own, hermitian=True).min() <= raw:
            log.warning("Error inverting stats matrices for fMLLR [min-count too small?  Bad data?], not updating.")
            return unit.astype(np.float32), 0.0
        inverses = np.linalg.inv(own)
        matrix = unit.copy()
        for _ in range(options.fmllr_num_iters):
            for i in range(raw):
                cofactor = np.linalg.inv(matrix[:, :raw]).T[i]
                others = np.einsum("ahb,hb->a", quadratic[i], matrix) - own[i] @ matrix[i]
                direction, rest = inverses[i, :, :raw] @ cofactor, linear[i] - others
                alpha = step_size(cofactor @ direction[:raw], direction @ rest, beta)
                matrix[i] = alpha * direction + inverses[i] @ rest
        gain = objective(matrix) - objective(unit)
        return (matrix.astype(np.float32), gain) if gain > 0.0 else (unit.astype(np.float32), 0.0)
