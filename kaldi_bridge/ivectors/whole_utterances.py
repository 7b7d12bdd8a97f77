"""One i-vector of an utterance or a speaker, from all its frames at once (ivectorbin/ivector-extract.cc)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError
from kaldi_bridge.ivectors.accumulation import Batch
from kaldi_bridge.ivectors.distribution import Posterior, UtteranceStatistics
from kaldi_bridge.ivectors.model import ExtractorModel
from kaldi_bridge.tables import RandomAccessReader
from kaldi_bridge.tables.posterior import SparsePosterior


@dataclass
class Extracted:
    """An i-vector less the prior's mean, float64 [dim]; the objective's growth by it; of how many frames, weighted."""

    ivector: np.ndarray
    improvement: float
    frames: float


class WholeUtterances:
    """Extracts i-vectors; ``weight`` and ``max_count`` are --acoustic-weight and --max-count."""

    def __init__(self, model: ExtractorModel, weight: float, max_count: float, with_objective: bool) -> None:
        self._model, self._posterior = model, Posterior(model)
        self._weight, self._max_count, self._with_objective = weight, max_count, with_objective

    def of(self, what: str, parts: list[tuple[np.ndarray, SparsePosterior]]) -> Extracted:
        """Of (features [frames, dim], posterior) of one or more utterances; ``what`` they are, for messages.

        Raises KaldiError when they do not fit the model.
        """
        batch = Batch(self._model.num_gaussians, self._model.feature_dim)
        for feats, posterior in parts:
            batch.add(feats, posterior)
        each = batch.statistics()
        counts, sums = each.counts.sum(axis=0, keepdims=True), each.sums.sum(axis=0, keepdims=True)
        statistics = UtteranceStatistics(counts, sums).scaled(self._weight)
        frames = float(statistics.counts.sum())
        if 0 < self._max_count < frames:
            scale = self._max_count / frames
            log.info(f"Scaling stats for {what} by scale {scale:g} due to --max-count={self._max_count:g}")
            statistics, frames = statistics.scaled(scale), self._max_count
        means = self._posterior.ivectors(statistics).means
        default = np.zeros_like(means)
        default[:, 0] = self._model.prior_offset
        improvement = 0.0
        if self._with_objective:
            objective = self._posterior.point_objective
            improvement = objective(statistics, means) - objective(statistics, default)
        return Extracted((means - default)[0], improvement, frames)


def checked_posterior(
    posteriors: RandomAccessReader[SparsePosterior], utterance: str, num_frames: int
) -> SparsePosterior:
    """Raises EntryError where there is none, or one of another length."""
    posterior = posteriors.get(utterance)
    if posterior is None:
        raise EntryError(f"No posteriors for utterance {utterance}")
    if len(posterior) != num_frames:
        raise EntryError(
            f"Size mismatch between posterior {len(posterior)} and features {num_frames} for utterance {utterance}"
        )
    found: SparsePosterior = posterior
    return found
