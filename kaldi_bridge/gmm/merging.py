"""Fewer Gaussians in a mixture: again and again the two whose merging costs the least become one.

Source: gmm/diag-gmm.cc, DiagGmm::Merge.
What two Gaussians of weights w and v cost when merged is (w + v) log det(merged) - w log det - v log det of both, half
of it with diagonal covariances.
"""

from __future__ import annotations

import numpy as np

Moments = tuple[np.ndarray, np.ndarray, np.ndarray]


def merged(weights: np.ndarray, means: np.ndarray, variances: np.ndarray, target: int) -> Moments:
    """Weights [n], means and variances [n, dim] of at most ``target`` Gaussians, one or more."""
    weights = weights.astype(np.float64)
    first, second = means.astype(np.float64), variances.astype(np.float64)
    if len(weights) <= target:
        return weights, first, second
    second = second + first**2  # moments add up
    kept = np.ones(len(weights), bool)
    costs = np.full((len(weights), len(weights)), np.inf)
    for i in range(1, len(weights)):
        costs[i, :i] = _costs(weights, first, second, i)[:i]
    while kept.sum() > target:
        i, j = divmod(int(costs.argmin()), len(weights))
        share = weights[j] / (weights[i] + weights[j])
        first[i] += share * (first[j] - first[i])
        second[i] += share * (second[j] - second[i])
        weights[i] += weights[j]
        kept[j] = False
        costs[j], costs[:, j] = np.inf, np.inf
        others = np.flatnonzero(kept & (np.arange(len(weights)) != i))
        new = _costs(weights, first, second, i)
        costs[i, others[others < i]] = new[others[others < i]]
        costs[others[others > i], i] = new[others[others > i]]
    return weights[kept], first[kept], second[kept] - first[kept] ** 2


def _costs(weights: np.ndarray, first: np.ndarray, second: np.ndarray, i: int) -> np.ndarray:
    """[n], of merging Gaussian i with each."""
    total = weights + weights[i]
    share = (weights / total)[:, np.newaxis]
    mean = first[i] + share * (first - first[i])
    variance = second[i] + share * (second - second[i]) - mean**2
    half_logs = 0.5 * np.log(second - first**2).sum(axis=1)
    made: np.ndarray = 0.5 * total * np.log(variance).sum(axis=1) - weights * half_logs - weights[i] * half_logs[i]
    return made
