"""Clusters that grow by joining the two that lose least by it (tree/cluster-utils.cc, ClusterBottomUp)."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

import numpy as np

from kaldi_bridge.tree_building.gaussian import log_likelihood


def bottom_up(
    compartments: Sequence[np.ndarray], floor: float, threshold: float = math.inf, fewest: int = 0
) -> list[np.ndarray]:
    """The cluster of each point, int [n] per compartment, numbered from 0 in each.

    Args:
        compartments: moments of points, [n, m] each; only points of the same compartment are joined.
        floor: of the variances.
        threshold: the largest loss in log-likelihood for which two clusters are joined.
        fewest: the number of clusters, in all compartments together, at which joining stops.
    """
    parts = [_Compartment(points, floor) for points in compartments]
    queue: list[tuple[float, int, int, int]] = []
    for c, part in enumerate(parts):
        for i in range(1, len(part.points)):
            losses = part.losses(i, np.arange(i))
            queue += [(loss, c, i, j) for j, loss in enumerate(losses.tolist()) if loss <= threshold]
    heapq.heapify(queue)
    remaining = sum(len(part.points) for part in parts)
    while remaining > fewest and queue:
        loss, c, i, j = heapq.heappop(queue)
        part = parts[c]
        if part.loss.get((i, j)) != loss:  # one of them has changed or is gone
            continue
        part.join(i, j)
        remaining -= 1
        others = np.array([k for k in part.alive if k != i], dtype=np.int64)
        for k, new in zip(others.tolist(), part.losses(i, others).tolist(), strict=True):
            if new < threshold:
                heapq.heappush(queue, (new, c, max(i, k), min(i, k)))
    return [part.numbered() for part in parts]


class _Compartment:
    """The clusters of one compartment; each has the number of one of its points."""

    def __init__(self, points: np.ndarray, floor: float) -> None:
        self.points = points.copy()
        self._floor = floor
        self._fits = log_likelihood(self.points, floor)
        self._cluster = np.arange(len(points))
        self.alive = dict.fromkeys(range(len(points)))
        self.loss: dict[tuple[int, int], float] = {}

    def losses(self, i: int, others: np.ndarray) -> np.ndarray:
        """What joining cluster i with each of the others loses, float32; remembered in ``loss``."""
        joined = log_likelihood(self.points[others] + self.points[i], self._floor)
        losses = np.maximum(self._fits[others] + self._fits[i] - joined, np.float32(0.0))
        for k, loss in zip(others.tolist(), losses.tolist(), strict=True):
            self.loss[max(i, k), min(i, k)] = loss
        return losses

    def join(self, i: int, j: int) -> None:
        """Cluster j becomes part of i."""
        self.points[i] += self.points[j]
        self._fits[i] = log_likelihood(self.points[i], self._floor)
        self._cluster[self._cluster == j] = i
        del self.alive[j]
        for k in range(len(self.points)):
            self.loss.pop((max(j, k), min(j, k)), None)

    def numbered(self) -> np.ndarray:
        return np.unique(self._cluster, return_inverse=True)[1]
