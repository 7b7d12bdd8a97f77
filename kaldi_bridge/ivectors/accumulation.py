"""Statistics for training an extractor, collected many utterances at a time so that they are matrix products."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.c_random import CRandom, normal_matrix
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.ivectors.distribution import Ivectors, Posterior, UtteranceStatistics, weight_terms
from kaldi_bridge.ivectors.model import ExtractorModel
from kaldi_bridge.ivectors.training_statistics import TrainingStatistics
from kaldi_bridge.tables.posterior import SparsePosterior

_NUMBERS_AT_ONCE = 1 << 22  # of the largest array of a batch
_UTTERANCES_AT_ONCE = 128


def batch_size(model: ExtractorModel) -> int:
    """Of how many utterances statistics are best treated together."""
    largest = max(model.num_gaussians * model.feature_dim, model.dim**2)
    return min(_UTTERANCES_AT_ONCE, max(1, _NUMBERS_AT_ONCE // largest))


class Batch:
    """Utterances whose statistics are to be summed over frames together."""

    def __init__(self, num_gaussians: int, feature_dim: int) -> None:
        self._shape = num_gaussians, feature_dim
        self._feats: list[np.ndarray] = []
        self._posteriors: list[SparsePosterior] = []

    def __len__(self) -> int:
        return len(self._feats)

    def add(self, feats: np.ndarray, posterior: SparsePosterior) -> None:
        """Features [frames, dim] and what of each frame belongs to which Gaussian.

        Raises KaldiError when they do not fit each other or the model.
        """
        num_gaussians, dim = self._shape
        if feats.shape[1] != dim:
            raise KaldiError(f"Feature dimension mismatch, expected {dim}, got {feats.shape[1]}")
        if not np.isfinite(feats).all():
            raise KaldiError("features that are infinite or not a number")
        indexes = posterior.indexes
        if len(indexes) and not 0 <= indexes.min() <= indexes.max() < num_gaussians:
            raise KaldiError(f"posteriors of a Gaussian {indexes.max()}, but the model has {num_gaussians}")
        self._feats.append(feats)
        self._posteriors.append(posterior)

    def statistics(self, second_order: np.ndarray | None = None) -> UtteranceStatistics:
        """Of all utterances added; adds to ``second_order`` [gaussians, dim, dim] the sums of p x x'."""
        num_gaussians, dim = self._shape
        lengths = np.array([len(feats) for feats in self._feats])
        first = np.cumsum(lengths) - lengths
        frames = np.concatenate([p.frames + begin for p, begin in zip(self._posteriors, first, strict=True)])
        utterances = np.repeat(np.arange(len(self)), [len(p.indexes) for p in self._posteriors])
        gaussians = np.concatenate([p.indexes for p in self._posteriors]).astype(np.int64)
        weights = np.concatenate([p.weights for p in self._posteriors]).astype(np.float64)
        cells = utterances + gaussians * len(self)
        order = np.argsort(cells, kind="stable")
        values = np.concatenate(self._feats).astype(np.float64)[frames[order]]
        weighted = values * weights[order, np.newaxis]
        present, starts = np.unique(cells[order], return_index=True)
        counts, sums = np.zeros((num_gaussians, len(self))), np.zeros((num_gaussians, len(self), dim))
        if len(present):
            counts.ravel()[present] = np.add.reduceat(weights[order], starts)
            sums.reshape(-1, dim)[present] = np.add.reduceat(weighted, starts)
        if second_order is not None:
            cuts = np.searchsorted(gaussians[order], np.arange(num_gaussians + 1)).tolist()
            for gaussian, (begin, end) in enumerate(zip(cuts, cuts[1:], strict=False)):
                if begin < end:
                    second_order[gaussian] += weighted[begin:end].T @ values[begin:end]
        return UtteranceStatistics(counts.T.copy(), sums.transpose(1, 0, 2).copy())


class Accumulator:
    """Collects TrainingStatistics of utterance after utterance."""

    def __init__(
        self, model: ExtractorModel, update_variances: bool = True, with_objective: bool = True, num_samples: int = 10
    ) -> None:
        """``num_samples``: of i-vectors, where weights depend on them. Raises KaldiError where these are too few."""
        if num_samples < 2:
            raise KaldiError(f"--num-samples-for-weights={num_samples} must be at least 2")
        self._model, self._posterior = model, Posterior(model)
        self._with_objective, self._num_samples = with_objective, num_samples
        self._random = CRandom(1)
        shape = model.num_gaussians, model.feature_dim, model.dim
        self._statistics = TrainingStatistics(*shape, model.has_dependent_weights, update_variances)
        self._most = batch_size(model)
        self._batch = Batch(model.num_gaussians, model.feature_dim)

    def add(self, feats: np.ndarray, posterior: SparsePosterior) -> None:
        """One utterance: see ``Batch.add``."""
        self._batch.add(feats, posterior)
        if len(self._batch) == self._most:
            self._flush()

    def result(self) -> TrainingStatistics:
        """Of all that was added."""
        self._flush()
        return self._statistics

    def _flush(self) -> None:
        if not len(self._batch):
            return
        batch, self._batch = self._batch, Batch(self._model.num_gaussians, self._model.feature_dim)
        total, second_order = self._statistics, None
        if len(total.s):
            second_order = np.zeros_like(total.s)
        statistics = batch.statistics(second_order)
        ivectors = self._posterior.ivectors(statistics)
        if second_order is not None:
            total.s += second_order
        if self._with_objective:
            traces = None if second_order is None else float(np.vdot(second_order, self._model.precisions))
            total.objective += self._posterior.objective(statistics, ivectors, traces)
        self._add(statistics, ivectors)
        if self._model.has_dependent_weights:
            for counts, mean, variance in zip(statistics.counts, ivectors.means, ivectors.variances, strict=True):
                self._add_weights(counts, mean, variance)

    def _add(self, statistics: UtteranceStatistics, ivectors: Ivectors) -> None:
        total, (num_gaussians, dim) = self._statistics, self._model.projections.shape[:2]
        rows, columns = np.tril_indices(self._model.dim)
        means = ivectors.means
        scatter = ivectors.variances[:, rows, columns] + means[:, rows] * means[:, columns]
        total.gamma += statistics.counts.sum(axis=0)
        total.y += (statistics.sums.reshape(len(means), -1).T @ means).reshape(num_gaussians, dim, -1)
        total.r += statistics.counts.T @ scatter
        total.num_ivectors += len(means)
        total.ivector_sum += means.sum(axis=0)
        total.ivector_scatter += scatter.sum(axis=0)

    def _add_weights(self, counts: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> None:
        """From samples of the i-vector, moved so that their mean is right."""
        number, total = self._num_samples, self._statistics
        samples = normal_matrix(number, len(mean), self._random) @ np.linalg.cholesky(variance).T
        samples = mean + (samples - samples.mean(axis=0)) * np.sqrt(number / (number - 1.0))
        repeated = np.broadcast_to(counts, (number, len(counts)))
        first, second = weight_terms(self._model.weight_projections, repeated, samples)
        rows, columns = np.tril_indices(len(mean))
        total.g += first.T @ samples / number
        total.q += second.T @ (samples[:, rows] * samples[:, columns]) / number
