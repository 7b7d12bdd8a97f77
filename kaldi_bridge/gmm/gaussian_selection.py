"""The likeliest Gaussians of each frame (gmm/diag-gmm.cc, GaussianSelection)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.model import Mixtures

_FRAMES_AT_ONCE = 1000


def likeliest_gaussians(
    mixture: Mixtures, feats: np.ndarray, count: int, among: Sequence[Sequence[int]] | None = None
) -> tuple[list[np.ndarray], float]:
    """At most ``count`` Gaussians of one mixture for each of the features [frames, dim], the best first.

    ``among``: for each frame, the Gaussians to choose from, in any order (Kaldi takes some lists that are not sorted
    for others, in LogLikelihoodsPreselect). Returns, too, the log-likelihood of all frames by what was
    chosen. Raises KaldiError when the features have another dimension, or ``among`` has Gaussians that there are not.
    """
    chosen: list[np.ndarray] = []
    total = 0.0
    for begin in range(0, len(feats), _FRAMES_AT_ONCE):
        part = slice(begin, begin + _FRAMES_AT_ONCE)
        scores = mixture.gaussian_log_likelihoods(feats[part], slice(None)).T
        if among is not None:
            scores = _limited(scores, among[part])
        best = _best(scores, min(count, scores.shape[1]))
        values = np.take_along_axis(scores, best, axis=1).astype(np.float64)
        total += float(np.logaddexp.reduce(values, axis=1).sum())
        chosen += [row[np.isfinite(value)] for row, value in zip(best, values, strict=True)]
    return chosen, total


def _best(scores: np.ndarray, count: int) -> np.ndarray:
    """int [frames, count], in descending order of the scores [frames, gaussians]; of equals the last one first."""
    some = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    some = -np.sort(-some, axis=1)
    order = np.argsort(-np.take_along_axis(scores, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)


def _limited(scores: np.ndarray, among: Sequence[Sequence[int]]) -> np.ndarray:
    limited = np.full_like(scores, -np.inf)
    for t, own in enumerate(among):
        if not len(own) or not 0 <= min(own) <= max(own) < scores.shape[1]:
            raise KaldiError(f"Gaussians to choose from that the model's {scores.shape[1]} are not, or none: {own}")
        limited[t, own] = scores[t, own]
    return limited
