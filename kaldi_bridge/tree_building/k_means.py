"""Points divided among several clusters by k-means with random beginnings (tree/cluster-utils.cc, ClusterKMeans).

Points are moments of frames. One after the other moves to the first cluster in which all frames are explained better;
only the nearest of each are tried, in the order that the C++ library's selection of the nearest leaves them in.
"""

from __future__ import annotations

import math

import numpy as np

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.tree_building.gaussian import log_likelihood

TRIES, ITERATIONS, REFINEMENTS, NEAREST = 2, 20, 100, 5


def k_means(points: np.ndarray, count: int, floor: float, random: CRandom) -> tuple[np.float32, np.ndarray]:
    """The best of two ways to divide points [n, m] among ``count`` clusters, of which there are no more than points.

    The gain in log-likelihood over a single cluster, and the cluster of each point, int32 [n].
    """
    best: tuple[np.float32, np.ndarray] | None = None
    for _ in range(TRIES):
        found = _once(points, count, floor, random)
        if best is None or found[0] > best[0]:
            best = found
    assert best is not None
    return best


def beginning(size: int, count: int, random: CRandom) -> np.ndarray:
    """int32 [size], a cluster of each point: in turn, over the points in steps of a random length."""
    step = 1
    if size > 1:
        step = 1 + random.rand() % (size - 1)
        while math.gcd(step, size) != 1:
            step = step % (size - 1) + 1
    assigned = np.zeros(size, np.int32)
    assigned[np.arange(size) * step % size] = np.arange(size) % count
    return assigned


def _once(points: np.ndarray, count: int, floor: float, random: CRandom) -> tuple[np.float32, np.ndarray]:
    assigned = beginning(len(points), count, random)
    clusters = np.stack([points[assigned == cluster].sum(axis=0) for cluster in range(count)])
    fits = log_likelihood(clusters, floor)
    gain = np.float32(fits.sum(dtype=np.float64) - log_likelihood(clusters.sum(axis=0), floor))
    for _ in range(ITERATIONS if count > 1 else 0):
        more = _refine(points, clusters, assigned, floor)
        gain += more
        if more == 0:
            break
    return gain, assigned


def _refine(points: np.ndarray, clusters: np.ndarray, assigned: np.ndarray, floor: float) -> np.float32:
    """Moves points to better clusters, until none moves; changes clusters and assignments, returns the gain."""
    total = np.float32(0)
    candidates = [_candidates(point, clusters, int(own), floor) for point, own in zip(points, assigned, strict=True)]
    fits = log_likelihood(clusters, floor)
    for _ in range(REFINEMENTS):
        moved = False
        for number, point in enumerate(points):
            own = int(assigned[number])
            others = [cluster for cluster in candidates[number] if cluster != own]
            joined = log_likelihood(clusters[others] + point, floor) + log_likelihood(clusters[own] - point, floor)
            better = joined - fits[others] - fits[own]
            if not (better > 0).any():
                continue
            first = int((better > 0).argmax())
            total += better[first]
            clusters[own] -= point
            clusters[others[first]] += point
            assigned[number] = others[first]
            changed = [own, others[first]]
            fits[changed] = log_likelihood(clusters[changed], floor)
            moved = True
        if not moved:
            break
    return total


def _candidates(point: np.ndarray, clusters: np.ndarray, own: int, floor: float) -> list[int]:
    """The nearest other clusters, and last its own."""
    costs = log_likelihood(clusters, floor) - log_likelihood(clusters + point, floor)
    others = [(float(costs[cluster]), cluster) for cluster in range(len(clusters)) if cluster != own]
    most = min(NEAREST, len(clusters)) - 1
    _select(others, most - 1)
    return [cluster for _, cluster in others[:most]] + [own]


def _select(values: list[tuple[float, int]], place: int) -> None:
    """Puts the value of this rank into its place, smaller ones before it, in the order that std::nth_element of the GNU
    C++ library leaves: partitions around the median of three, then sorting of the part that is left."""
    first, last = 0, len(values)
    while last - first > 3:
        middle = first + (last - first) // 2
        trio = sorted((first + 1, middle, last - 1), key=values.__getitem__)
        values[first], values[trio[1]] = values[trio[1]], values[first]
        pivot, low, high = values[first], first + 1, last
        while True:
            while values[low] < pivot:
                low += 1
            high -= 1
            while pivot < values[high]:
                high -= 1
            if low >= high:
                break
            values[low], values[high] = values[high], values[low]
            low += 1
        if low <= place:
            first = low
        else:
            last = low
    values[first:last] = sorted(values[first:last])
