"""Sets of phones that sound alike, as questions for trees, or as classes.

Source: tree/build-tree.cc, AutomaticallyObtainQuestions and KMeansClusterPhones.

For questions, the phones are divided in two, each part in two, and so on; every part is a set. A division is found by
k-means with several random beginnings. Gains are in single precision as in Kaldi, so that the same ones count as equal.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.tree import PDF_CLASS
from kaldi_bridge.tree_building.gaussian import log_likelihood
from kaldi_bridge.tree_building.k_means import beginning, k_means
from kaldi_bridge.tree_building.statistics import TreeStatistics

TRIES, K_MEANS_ITERATIONS, REFINEMENTS = 10, 20, 100


def phone_questions(
    statistics: TreeStatistics, phone_sets: Sequence[Sequence[int]], classes: Sequence[int] = (1,), central: int = 1
) -> list[list[int]]:
    """Sets of phones, the largest first, made of whole ``phone_sets``, by the frames of the given pdf classes.

    Raises KaldiError when a phone is in several sets, or no sets are given.
    """
    phone_sets = [sorted(phones) for phones in phone_sets]
    points = _moments_of(statistics, phone_sets, classes, central)
    parts = divided(points, statistics.variance_floor)
    questions = [sorted(phone for i in part for phone in phone_sets[i]) for part in parts] + phone_sets
    return [list(q) for q in dict.fromkeys(map(tuple, questions))]


def phone_classes(
    statistics: TreeStatistics,
    phone_sets: Sequence[Sequence[int]],
    count: int,
    classes: Sequence[int] = (1,),
    central: int = 1,
) -> list[list[int]]:
    """``count`` sets that have each of the ``phone_sets`` once (KMeansClusterPhones); logs what they gain.

    Raises KaldiError when a phone is in several sets, or there are fewer sets than are wanted, or fewer than two are.
    """
    if not 1 < count <= len(phone_sets):
        raise KaldiError(f"num-classes invalid: num_classes is {count}, number of phone sets is {len(phone_sets)}")
    points = _moments_of(statistics, phone_sets, classes, central)
    gain, assigned = k_means(points, count, statistics.variance_floor, CRandom(1))
    frames = points[:, 0].sum()
    log.info(
        f"ClusterKMeans: objf change from clustering [versus single set] is {gain / frames if frames else math.nan:g} "
        f"over {frames:g} frames."
    )
    made: list[list[int]] = [[] for _ in range(count)]
    for phones, cluster in zip(phone_sets, assigned.tolist(), strict=True):
        made[cluster] += phones
    return [sorted(phones) for phones in made]


def _moments_of(
    statistics: TreeStatistics, phone_sets: Sequence[Sequence[int]], classes: Sequence[int], central: int
) -> np.ndarray:
    """[sets, m], summed over the phones of each."""
    every = [phone for phones in phone_sets for phone in phones]
    if not every or not all(phone_sets) or len(set(every)) < len(every):
        raise KaldiError("phone sets that are empty, or a phone that is in two of them")
    used = statistics.where(np.isin(statistics.column(PDF_CLASS), classes))
    if 10 * len(used) < len(statistics):
        log.warning(
            f"Only {len(used)} of {len(statistics)} statistics are of the pdf classes {list(classes)}: "
            "another topology may need another --pdf-class-list, such as 0 for one state."
        )
    phones = used.column(central)
    unknown = set(phones.tolist()) - set(every)
    if unknown:
        log.warning(f"Phones {sorted(unknown)} have statistics but are in no phone set.")
    points = np.stack([used.moments[np.isin(phones, wanted)].sum(axis=0) for wanted in phone_sets])
    for wanted in (p for p, point in zip(phone_sets, points, strict=True) if point[0] == 0):
        log.warning(f"No stats available for phone set: {' '.join(map(str, wanted))}")
    return points


@dataclass
class _Part:
    points: np.ndarray
    sides: np.ndarray | None = None


def divided(points: np.ndarray, floor: float) -> list[list[int]]:
    """The parts of points [n, m] in a binary division, from large to small, without the whole itself.

    tree/cluster-utils.cc, TreeCluster: the division with the largest gain comes first.
    """
    random = CRandom(1)  # Kaldi draws from rand() without having called srand()
    whole = _Part(np.arange(len(points)))
    leaves, inner = [whole], list[_Part]()
    queue: list[tuple[float, int, int]] = []

    def prepare(leaf: int) -> None:
        part = leaves[leaf]
        if len(part.points) > 1:
            gain, part.sides = in_two(points[part.points], floor, random)
            if gain > 0:
                heapq.heappush(queue, (-float(gain), -len(inner), leaf))

    prepare(0)
    while queue and len(leaves) < len(points):
        _, _, leaf = heapq.heappop(queue)
        part = leaves[leaf]
        assert part.sides is not None
        inner.append(part)
        leaves[leaf] = _Part(part.points[part.sides == 0])
        leaves.append(_Part(part.points[part.sides == 1]))
        prepare(leaf)
        prepare(len(leaves) - 1)
    return [part.points.tolist() for part in [*inner, *reversed(leaves)] if part is not whole and len(part.points)]


def in_two(points: np.ndarray, floor: float, random: CRandom, tries: int = TRIES) -> tuple[np.float32, np.ndarray]:
    """The best of several ways to divide points [n, m], n > 1: the gain in log-likelihood, and 0 or 1 for each point.

    tree/cluster-utils.cc, ClusterKMeans with two clusters.
    """
    best_gain, best = np.float32(-np.inf), np.zeros(len(points), np.int32)
    for _ in range(tries):
        gain, sides = _in_two_once(points, floor, random)
        if gain > best_gain:
            best_gain, best = gain, sides
    return best_gain, best


def _in_two_once(points: np.ndarray, floor: float, random: CRandom) -> tuple[np.float32, np.ndarray]:
    sides = beginning(len(points), 2, random)
    clusters = np.stack([points[sides == side].sum(axis=0) for side in (0, 1)])
    fits = log_likelihood(clusters, floor)
    gain = np.float32(fits[0] + fits[1] - log_likelihood(clusters.sum(axis=0), floor))
    for _ in range(K_MEANS_ITERATIONS):
        more = refine(points, clusters, sides, floor)
        gain += more
        if more == 0:
            break
    return gain, sides


def refine(
    points: np.ndarray, clusters: np.ndarray, sides: np.ndarray, floor: float, passes: int = REFINEMENTS
) -> np.float32:
    """Moves single points [n, m] to the other side where that is better; returns the gain.

    Changes ``clusters`` [2, m], the sums of both sides, and ``sides`` [n]. Points whose gain is within the rounding may
    move there and back for ever: from the second time on this is not computed again.
    """
    total = np.float32(0.0)
    gains: list[list[np.float32]] = []
    seen: list[bytes] = []
    while passes > 0:
        gains.append(_refine_once(points, clusters, sides, floor))
        passes -= 1
        seen.append(sides.tobytes())
        for gain in gains[-1]:
            total += gain
        if not gains[-1]:
            break
        if len(seen) > 2 and seen[-3] == seen[-1]:
            for gain in (gains[-2] + gains[-1]) * (passes // 2):
                total += gain
            passes %= 2
    return total


def _refine_once(points: np.ndarray, clusters: np.ndarray, sides: np.ndarray, floor: float) -> list[np.float32]:
    """One pass over the points; the gain of each move."""
    gains = []
    begin = 0
    fits = log_likelihood(clusters, floor)
    while begin < len(points):
        rest, own = points[begin:], sides[begin:]
        other = 1 - own
        moved = log_likelihood(clusters[other] + rest, floor) + log_likelihood(clusters[own] - rest, floor)
        better = moved - fits[other] - fits[own]
        first = int((better > 0).argmax())
        if not better[first] > 0:
            break
        gains.append(better[first])
        clusters[other[first]] += rest[first]
        clusters[own[first]] -= rest[first]
        fits = log_likelihood(clusters, floor)
        sides[begin + first] = other[first]
        begin += first + 1
    return gains
