"""Whole utterances' i-vectors, from the statistics of all their frames (IvectorExtractor::GetIvectorDistribution).

Of statistics g_i and X_i (training_statistics.py) the i-vector has the precision 1 + sum g_i M_i' S_i^-1 M_i and, times
that, the mean o e_1 + sum M_i' S_i^-1 X_i. Where the weights depend on the i-vector, their log-likelihood is
approximated by a parabola around the last estimate, a few times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.io.matrix_io import pack_symmetric
from kaldi_bridge.ivectors.model import ExtractorModel

_WEIGHT_ITERATIONS = 4
_SMALL_CHANGE = 0.1  # of the i-vector's norm, after which no further iteration is made


@dataclass
class UtteranceStatistics:
    """Of several utterances: ``counts`` g [utterances, gaussians], ``sums`` X [utterances, gaussians, feature dim]."""

    counts: np.ndarray
    sums: np.ndarray

    def scaled(self, scale: float) -> UtteranceStatistics:
        return UtteranceStatistics(scale * self.counts, scale * self.sums)


@dataclass
class Ivectors:
    """Means [utterances, dim] and variances [utterances, dim, dim]."""

    means: np.ndarray
    variances: np.ndarray


class Posterior:
    """The distribution of i-vectors that an extractor gives.

    Attributes:
        linear: S^-1 M, [gaussians, feature dim, dim]. quadratic: M' S^-1 M, [gaussians, packed dim].
    """

    def __init__(self, model: ExtractorModel) -> None:
        self.model = model
        self.linear = model.precisions @ model.projections
        products = (own.T @ scaled for own, scaled in zip(model.projections, self.linear, strict=True))
        self.quadratic = np.stack([pack_symmetric(product) for product in products])
        self._log_constants = 0.5 * (np.linalg.slogdet(model.precisions)[1] - model.feature_dim * np.log(2 * np.pi))

    def ivectors(self, statistics: UtteranceStatistics) -> Ivectors:
        linear, precisions = self._terms(statistics)
        linear[:, 0] += self.model.prior_offset
        precisions += np.eye(self.model.dim)
        variances = inverse_with_floor(precisions) if self.model.has_dependent_weights else np.linalg.inv(precisions)
        means = np.einsum("uij,uj->ui", variances, linear)
        if self.model.has_dependent_weights:
            self._refine(statistics, linear, precisions, means, variances)
        return Ivectors(means, variances)

    def _terms(self, statistics: UtteranceStatistics) -> tuple[np.ndarray, np.ndarray]:
        """Those of the Gaussians' means: linear [utterances, dim], quadratic [utterances, dim, dim]."""
        count, dim = len(statistics.counts), self.model.dim
        linear = statistics.sums.reshape(count, -1) @ self.linear.reshape(-1, dim)
        packed = statistics.counts @ self.quadratic
        return linear, unpacked(packed)

    def _refine(
        self,
        statistics: UtteranceStatistics,
        linear: np.ndarray,
        precisions: np.ndarray,
        means: np.ndarray,
        variances: np.ndarray,
    ) -> None:
        """Takes weights into account, in ``means`` and ``variances``."""
        active = np.arange(len(means))
        for _ in range(_WEIGHT_ITERATIONS):
            first, second = weight_terms(self.model.weight_projections, statistics.counts[active], means[active])
            own_linear = linear[active] + first @ self.model.weight_projections
            own_precisions = precisions[active] + np.einsum(
                "ui,is,it->ust", second, self.model.weight_projections, self.model.weight_projections, optimize=True
            )
            variances[active] = inverse_with_floor(own_precisions)
            before = means[active]
            means[active] = np.einsum("uij,uj->ui", variances[active], own_linear)
            active = active[np.linalg.norm(means[active] - before, axis=1) >= _SMALL_CHANGE]
            if not len(active):
                return

    def objective(self, statistics: UtteranceStatistics, ivectors: Ivectors, traces: float | None = None) -> float:
        """The auxiliary function, over all utterances (GetAuxf).

        ``traces``: sum over Gaussians of tr(S^-1 sum p x x'); where it is not known, the covariances of frames are
        taken to be the model's.
        """
        prior = ivectors.means.copy()
        prior[:, 0] -= self.model.prior_offset
        determinants = np.linalg.slogdet(ivectors.variances)[1].sum()
        spread = np.trace(ivectors.variances, axis1=1, axis2=2).sum() - self.model.dim * len(prior) - determinants
        return self.point_objective(statistics, ivectors.means, traces) - 0.5 * (
            spread - self.model.dim * len(prior) * np.log(2 * np.pi) + self._spread_cost(statistics, ivectors)
        )

    def _spread_cost(self, statistics: UtteranceStatistics, ivectors: Ivectors) -> float:
        """Twice what the variances of i-vectors take from the likelihood of frames."""
        _, quadratic = self._terms(statistics)
        cost = float(np.vdot(ivectors.variances, quadratic))
        projections = self.model.weight_projections
        if self.model.has_dependent_weights:
            for counts, mean, variance in zip(statistics.counts, ivectors.means, ivectors.variances, strict=True):
                weights = softmax(projections @ mean)
                jacobian = projections + np.outer(weights, projections.T @ weights)  # the sign is Kaldi's
                cost += float(np.vdot((jacobian.T * counts) @ jacobian, variance))
        return cost

    def point_objective(self, statistics: UtteranceStatistics, means: np.ndarray, traces: float | None = None) -> float:
        """The same of i-vectors [utterances, dim] without variance."""
        if traces is None:
            safe = np.where(statistics.counts > 0, statistics.counts, 1.0)
            scaled = np.matmul(statistics.sums.transpose(1, 0, 2), self.model.precisions).transpose(1, 0, 2)
            squares = np.einsum("uid,uid->ui", scaled, statistics.sums) / safe
            traces = float(squares.sum() + self.model.feature_dim * statistics.counts.sum())
        fit = self._fit(statistics, means, *self._terms(statistics)).sum()
        fit += (statistics.counts @ self._log_constants).sum()
        return float(fit - 0.5 * (traces + self.model.dim * len(means) * np.log(2 * np.pi)))

    def improvements(self, statistics: UtteranceStatistics, means: np.ndarray) -> np.ndarray:
        """By how much the objective is above that of the prior's mean, [utterances]; i-vectors without variance."""
        default = np.zeros_like(means)
        default[:, 0] = self.model.prior_offset
        terms = self._terms(statistics)
        return self._fit(statistics, means, *terms) - self._fit(statistics, default, *terms)

    def _fit(
        self, statistics: UtteranceStatistics, means: np.ndarray, linear: np.ndarray, quadratic: np.ndarray
    ) -> np.ndarray:
        """What of the objective depends on i-vectors and weights, [utterances]."""
        offsets = means.copy()
        offsets[:, 0] -= self.model.prior_offset
        curvature = np.squeeze(quadratic @ means[:, :, np.newaxis], axis=2)
        prior = -0.5 * _dots(offsets, offsets)
        return _dots(means, linear - 0.5 * curvature) + prior + self._weights_fit(statistics, means)

    def _weights_fit(self, statistics: UtteranceStatistics, means: np.ndarray) -> np.ndarray:
        if not self.model.has_dependent_weights:
            used = statistics.counts.any(axis=0)
            with np.errstate(divide="ignore"):
                logs = np.log(self.model.weights[used])
            return _dots(statistics.counts[:, used], logs)
        logs = means @ self.model.weight_projections.T
        logs -= logs.max(axis=1, keepdims=True)
        logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
        return _dots(statistics.counts, logs)


def _dots(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Products of rows."""
    products: np.ndarray = (a * b).sum(axis=-1)
    return products


def softmax(values: np.ndarray) -> np.ndarray:
    """Along the last axis."""
    shares = np.exp(values - values.max(axis=-1, keepdims=True))
    result: np.ndarray = shares / shares.sum(axis=-1, keepdims=True)
    return result


def weight_terms(projections: np.ndarray, counts: np.ndarray, ivectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What log-weights contribute around i-vectors [n, dim] to the linear and the quadratic term, [n, gaussians] both.

    Equation 58 of Povey et al., "The subspace Gaussian mixture model", as GetIvectorDistWeight has it.
    """
    logs = ivectors @ projections.T
    expected = counts.sum(axis=1, keepdims=True) * softmax(logs)
    larger = np.maximum(counts, expected)
    return counts - expected + larger * logs, larger


def unpacked(packed: np.ndarray) -> np.ndarray:
    """Symmetric matrices [n, dim, dim] of their lower triangles [n, dim (dim + 1) / 2]."""
    dim = int((2 * packed.shape[1]) ** 0.5)
    rows, columns = np.tril_indices(dim)
    full = np.empty((len(packed), dim, dim), packed.dtype)
    full[:, rows, columns] = packed
    full[:, columns, rows] = packed
    return full


def inverse_with_floor(matrices: np.ndarray) -> np.ndarray:
    """Inverses of symmetric matrices [n, dim, dim] whose eigenvalues cannot, but for rounding, be below 1."""
    values, vectors = np.linalg.eigh(matrices)
    inverse: np.ndarray = (vectors / np.maximum(values, 1.0)[:, np.newaxis]) @ vectors.transpose(0, 2, 1)
    return inverse
