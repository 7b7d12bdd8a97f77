"""Agglomerative clustering of the segments of a recording (ivector/agglomerative-clustering.cc).

The two clusters that cost least are merged, as long as that is allowed. What merging two of them costs is the mean of
the costs between the points of one and of the other; the sums of these are kept, as sums of merged clusters are sums
of their parts'. All costs are single precision, and of equal ones that of the older clusters comes first.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError

Clusters = list[list[int]]
LARGEST = float(np.finfo(np.float32).max)
FIRST_PASS_FACTOR = 10
"""In the first of two passes so many times more clusters remain at least."""


@dataclass
class ClusteringOptions:
    """How far segments of a recording are merged."""

    threshold: float = option(0.0, "Merge clusters whose score is at least this")
    first_pass_max_utterances: int = option(
        32767, "More segments than this are clustered in contiguous parts first, and then these clusters"
    )
    max_spk_fraction: float = option(
        1.0,
        "No cluster gets more than this fraction of the segments; where their number is given, from 1 / num-spk to 1",
    )


def clusters_of_scores(scores: np.ndarray, options: ClusteringOptions, speakers: int | None = None) -> np.ndarray:
    """int32 [N], from 1 on, from the scores float32 [N, N] of N segments, larger where two are more alike.

    ``speakers``: how many clusters to make; None: as many as the threshold leaves. Raises KaldiError.
    """
    most = options.first_pass_max_utterances
    if speakers is None:
        return agglomerative_clusters(-scores, -options.threshold, 1, most)
    fraction = options.max_spk_fraction
    if not (speakers > 0 and 1 / speakers <= np.float32(fraction) <= 1):
        fraction = 1.0
    return agglomerative_clusters(-scores, LARGEST, speakers, most, fraction)


def agglomerative_clusters(
    costs: np.ndarray,
    threshold: float = math.inf,
    min_clusters: int = 1,
    first_pass_max_points: int = 32767,
    max_fraction: float = 1.0,
) -> np.ndarray:
    """The number of its cluster, from 1 on, for each of the points between which there are costs float32 [N, N].

    Clusters are merged while there are more than ``min_clusters`` and it costs at most ``threshold``, unless the result
    had more than ``max_fraction`` of the points. More than ``first_pass_max_points`` are clustered in parts first.
    Raises KaldiError for costs that are no square, and for bounds that make no sense.
    """
    points = len(costs)
    if not points or costs.shape != (points, points):
        raise KaldiError(f"costs of {' by '.join(map(str, costs.shape))}: expected those of each point with each other")
    if min_clusters < 1 or np.float32(max_fraction) < 1 / min_clusters:
        raise KaldiError(
            f"{points} points cannot be in {min_clusters} clusters of at most {max_fraction:g} of them each"
        )
    if first_pass_max_points < 1:
        raise KaldiError(f"--first-pass-max-utterances={first_pass_max_points} must be positive")
    bound = np.float32(threshold)
    most = math.ceil(np.float32(points) * np.float32(max_fraction))
    if points <= first_pass_max_points:
        clusters, _ = _merged([[i] for i in range(points)], costs, bound, min_clusters, most)
    else:
        clusters = _in_two_passes(costs, bound, min_clusters, most, first_pass_max_points)
    labels = np.zeros(points, np.int32)
    for label, members in enumerate(clusters, 1):
        labels[members] = label
    return labels


def _in_two_passes(costs: np.ndarray, threshold: np.float32, least: int, most: int, subset_most: int) -> Clusters:
    """The clusters of consecutive subsets of the points, clustered."""
    points = len(costs)
    size = -(-points // -(-points // subset_most))
    clusters: Clusters = []
    sums = np.zeros((0, 0), np.float32)
    for start in range(0, points, size):
        part = costs[start : start + size, start : start + size]
        found, inside = _merged([[i] for i in range(len(part))], part, threshold, least * FIRST_PASS_FACTOR, most)
        found = [[start + i for i in members] for members in found]
        between = np.array([[_sum(costs, new, old) for old in clusters] for new in found], np.float32)
        between = between.reshape(len(found), len(clusters))
        sums = np.block([[sums, between.T], [between, inside]])
        clusters += found
    return _merged(clusters, sums, threshold, least, most)[0]


def _sum(costs: np.ndarray, new: list[int], old: list[int]) -> np.float32:
    """Of the costs between two clusters, in the order in which Kaldi adds them up."""
    total: np.float32 = np.cumsum(costs[np.ix_(new, old)].ravel(), dtype=np.float32)[-1]
    return total


def _merged(
    clusters: Clusters, sums: np.ndarray, threshold: np.float32, least: int, most: int
) -> tuple[Clusters, np.ndarray]:
    """The clusters that remain, the oldest first, and the sums float32 of costs between them."""
    count = len(clusters)
    upper = np.triu_indices(count, 1)
    sums = sums.astype(np.float32)
    sums.T[upper] = sums[upper]  # costs are those of the earlier point with the later one
    members = list(clusters)
    sizes = np.array([len(cluster) for cluster in clusters])
    names = np.arange(count)  # a merged cluster has a new name, and the row of the older of its two parts
    active = np.ones(count, bool)
    row_of = {name: name for name in range(count)}
    means = sums[upper] / (sizes[upper[0]] * sizes[upper[1]]).astype(np.float32)
    cheap = means <= threshold
    queue = list(zip(means[cheap].tolist(), upper[0][cheap].tolist(), upper[1][cheap].tolist(), strict=True))
    heapq.heapify(queue)
    name = count
    while len(row_of) > least and queue:
        _, older, newer = heapq.heappop(queue)
        if older not in row_of or newer not in row_of:
            continue
        row, other = row_of[older], row_of[newer]
        if sizes[row] + sizes[other] > most:
            continue
        del row_of[older], row_of[newer]
        members[row] = members[row] + members[other]
        sizes[row] += sizes[other]
        active[[row, other]] = False
        sums[row] += sums[other]
        sums[:, row] = sums[row]
        rest = np.flatnonzero(active)
        means = sums[row, rest] / (sizes[row] * sizes[rest]).astype(np.float32)
        cheap = means <= threshold
        for mean, old_name in zip(means[cheap].tolist(), names[rest[cheap]].tolist(), strict=True):
            heapq.heappush(queue, (mean, old_name, name))
        active[row], names[row], row_of[name] = True, name, row
        name += 1
    rows = [row_of[known] for known in sorted(row_of)]
    return [members[row] for row in rows], sums[np.ix_(rows, rows)]
