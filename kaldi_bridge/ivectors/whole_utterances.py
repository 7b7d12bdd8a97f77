"""One i-vector of an utterance or a speaker, from all its frames at once (ivectorbin/ivector-extract.cc)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError
from kaldi_bridge.ivectors.accumulation import Batch, batch_size
from kaldi_bridge.ivectors.distribution import Posterior, UtteranceStatistics
from kaldi_bridge.ivectors.model import ExtractorModel
from kaldi_bridge.tables import RandomAccessReader
from kaldi_bridge.tables.posterior import SparsePosterior


@dataclass
class Extracted:
    """The i-vector of ``key`` less the prior's mean, float64 [dim].

    Attributes:
        improvement: the objective's growth by it.
        frames: of how many, weighted.
    """

    key: str
    ivector: np.ndarray
    improvement: float
    frames: float


class WholeUtterances:
    """Extracts i-vectors; ``weight`` and ``max_count`` are --acoustic-weight and --max-count."""

    def __init__(self, model: ExtractorModel, weight: float, max_count: float, with_objective: bool) -> None:
        self._model, self._posterior = model, Posterior(model)
        self._weight, self._max_count, self._with_objective = weight, max_count, with_objective

    def statistics(self, key: str, parts: list[tuple[np.ndarray, SparsePosterior]]) -> UtteranceStatistics:
        """Of (features [frames, dim], posterior) of the utterances of ``key``, together.

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
            log.info(f"Scaling stats for {key} by scale {scale:g} due to --max-count={self._max_count:g}")
            statistics = statistics.scaled(scale)
        return statistics

    def extracted(self, statistics: Iterable[tuple[str, UtteranceStatistics]]) -> Iterator[Extracted]:
        """I-vectors of ``statistics`` of keys, in their order; many at a time, so that they are matrix products."""
        most, keys, waiting = batch_size(self._model), [], []
        for key, own in statistics:
            keys.append(key)
            waiting.append(own)
            if len(keys) == most:
                yield from self._of_batch(keys, waiting)
                keys, waiting = [], []
        if keys:
            yield from self._of_batch(keys, waiting)

    def _of_batch(self, keys: list[str], each: list[UtteranceStatistics]) -> Iterator[Extracted]:
        statistics = UtteranceStatistics(
            np.concatenate([own.counts for own in each]), np.concatenate([own.sums for own in each])
        )
        means = self._posterior.ivectors(statistics).means
        improvements = self._posterior.improvements(statistics, means) if self._with_objective else np.zeros(len(keys))
        frames = statistics.counts.sum(axis=1)
        means[:, 0] -= self._model.prior_offset
        yield from map(Extracted, keys, means, improvements.tolist(), frames.tolist())


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
