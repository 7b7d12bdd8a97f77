"""Mean and variance of features."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kaldi_bridge.errors import KaldiError


def mean_and_variance(utterances: Iterable[tuple[str, np.ndarray]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """float64 [dim] each, over all frames of (utterance, features [frames, dim]); ``name``: where they are from.

    Raises KaldiError when there are no frames, or dimensions differ.
    """
    total: np.ndarray | None = None
    count = 0
    for utterance, feats in utterances:
        if not len(feats):
            continue
        values = feats.astype(np.float64)
        sums = np.stack([values.sum(axis=0), (values**2).sum(axis=0)])
        if total is not None and sums.shape != total.shape:
            raise KaldiError(f"utterance {utterance}: features of dimension {feats.shape[1]}, not {total.shape[1]}")
        total = sums if total is None else total + sums
        count += len(feats)
    if total is None or not count:
        raise KaldiError(f"no features were seen in {name}")
    mean, squares = total / count
    return mean, squares - mean**2
