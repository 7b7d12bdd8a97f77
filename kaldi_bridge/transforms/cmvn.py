"""Cepstral mean and variance statistics and their application (transform/cmvn.cc).

Statistics are [2, dim + 1] in double: row 0 the sums and, last, the count; row 1 the sums of squares.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError, KaldiError

VARIANCE_FLOOR = 1e-20


def compute_stats(feats: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Statistics of features [frames, dim], each frame counted with its weight.

    Raises KaldiError when the number of weights is not the number of frames.
    """
    feats = feats.astype(np.float64)
    if weights is None:
        weights = np.ones(len(feats))
    if weights.shape != (len(feats),):
        raise KaldiError(f"{weights.shape[0]} weights for {len(feats)} frames")
    stats = np.zeros((2, feats.shape[1] + 1))
    stats[0, :-1] = weights @ feats
    stats[0, -1] = weights.sum()
    stats[1, :-1] = weights @ feats**2
    return stats


def parse_skip_dims(text: str) -> list[int]:
    """The dimensions of an option --skip-dims, which has colons between them. Raises KaldiError for anything else."""
    try:
        return [int(dim) for dim in text.split(":") if text]
    except ValueError:
        raise KaldiError(f"Bad --skip-dims={text}: should be a colon-separated list of integers") from None


def fake_some_dims(stats: np.ndarray, dims: Sequence[int]) -> np.ndarray:
    """Statistics that leave the given dimensions as they are: mean 0, variance 1."""
    stats = stats.copy()
    dim = stats.shape[1] - 1
    for d in dims:
        if not 0 <= d < dim:
            raise KaldiError(f"--skip-dims: {d} is not a dimension of statistics of dimension {dim}")
        stats[0, d] = 0.0
        if len(stats) == 2:
            stats[1, d] = stats[0, dim]
    return stats


def second_moments(stats: np.ndarray, norm_means: bool = True) -> np.ndarray:
    """Statistics whose variance is the mean square of those given, and whose mean is theirs, or 0.

    Raises EntryError for what is no statistics, has no squares, or is of no frames.
    """
    if len(stats) != 2 or stats.shape[1] < 2:
        raise EntryError(f"{len(stats)} rows of {stats.shape[1]} columns are no statistics of means and variances")
    count = stats[0, -1]
    if not count > 0:
        raise EntryError(f"statistics of {count:g} frames")
    changed = stats.copy()
    if not norm_means:
        changed[0, :-1] = 0.0
    changed[1, :-1] += changed[0, :-1] ** 2 / count
    return changed


def scale_and_offset(stats: np.ndarray, norm_vars: bool, reverse: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """What normalizes features to mean 0 (and variance 1): [dim] to multiply by, then [dim] to add.

    ``reverse``: what gives them the statistics' mean and variance. Raises KaldiError when statistics are too few, or
    variances are wanted and absent.
    """
    rows, dim = stats.shape[0], stats.shape[1] - 1
    if norm_vars and rows == 1:
        raise KaldiError("You requested variance normalization but no variance stats are supplied.")
    count = stats[0, dim]
    if not count >= 1.0:
        raise KaldiError(f"Insufficient stats for cepstral mean and variance normalization: count = {count:g}")
    mean = stats[0, :dim] / count
    stddev = np.ones(dim)
    if norm_vars:
        variance = stats[1, :dim] / count - mean**2
        for value in variance[variance < VARIANCE_FLOOR]:
            log.warning(f"Flooring cepstral variance from {value:g} to {VARIANCE_FLOOR:g}")
        stddev = np.sqrt(np.maximum(variance, VARIANCE_FLOOR))
    if not (np.isfinite(mean).all() and np.isfinite(stddev).all()):
        raise KaldiError("NaN or infinity in cepstral mean/variance computation")
    if reverse:
        return stddev, mean
    if norm_vars:
        return 1 / stddev, -mean / stddev
    return stddev, float(np.float32(-1.0 / count)) * stats[0, :dim]  # the factor is single precision in Kaldi


def apply_cmvn(stats: np.ndarray, feats: np.ndarray, norm_vars: bool, reverse: bool = False) -> np.ndarray:
    """Features [frames, dim] with mean 0 (and variance 1), or, in reverse, given the statistics' mean and variance.

    Raises KaldiError when dimensions differ, statistics are too few, or variances are wanted and absent.
    """
    rows, dim = stats.shape[0], stats.shape[1] - 1
    if rows not in (1, 2) or feats.shape[1] != dim:
        raise KaldiError(f"Dim mismatch: cmvn {rows}x{dim + 1}, feats {feats.shape[0]}x{feats.shape[1]}")
    scale, offset = scale_and_offset(stats, norm_vars, reverse)
    normalized = feats * scale.astype(np.float32) if norm_vars else feats
    return (normalized + offset.astype(np.float32)).astype(np.float32, copy=False)
