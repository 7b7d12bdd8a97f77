"""Classes of phones beside Kaldi's: what its cluster-phones --mode=k-means (f40076610) makes of these statistics."""

from __future__ import annotations

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.tree_building.phone_clusters import phone_classes
from kaldi_bridge.tree_building.statistics import TreeStatistics

PHONES, DIM = 36, 4
SETS = [phones for k in range(1, PHONES, 2) for phones in ([[k, k + 1]] if k % 6 == 1 else [[k], [k + 1]])]
KALDIS = {
    2: "1 2 3 5 6 7 8 13 14 15 18 22 23 24 25 26 28 33 35 | 4 9 10 11 12 16 17 19 20 21 27 29 30 31 32 34 36",
    5: "4 10 11 12 17 21 28 31 32 34 36 | 16 19 20 27 29 | 5 9 13 14 | 1 2 3 6 7 8 18 22 23 24 25 26 33 35 | 15 30",
    9: "24 25 26 | 5 15 | 9 13 14 | 6 12 19 20 27 | 16 29 | 4 10 11 17 21 28 31 32 34 36 | 30 | 18 22 23 33 "
    "| 1 2 3 7 8 35",
    20: "13 14 | 3 | 11 | 4 17 34 | 30 | 21 31 32 | 9 | 18 | 7 8 23 35 | 24 | 15 | 1 2 6 | 16 | 29 | 12 | 19 "
    "20 27 | 22 33 | 5 | 25 26 | 10 28 36",
}


def statistics() -> TreeStatistics:
    """Of two pdf classes of each phone, after phone 1 and before it."""
    count, random = 2 * PHONES, np.random.default_rng(3)
    columns = [np.tile([0, 1], PHONES), np.ones(count, int), 1 + np.arange(count) // 2, np.ones(count, int)]
    events = np.stack(columns, 1).astype(np.int32)
    events = events[np.lexsort(events.T[::-1])]
    frames = random.integers(5, 200, count).astype(float)[:, np.newaxis]
    mean, variance = random.normal(size=(count, DIM)) * 2, random.uniform(0.5, 2, (count, DIM))
    return TreeStatistics(events, np.hstack([frames, frames * mean, frames * (variance + mean**2)]))


@pytest.mark.parametrize("count", KALDIS)
def test_classes_are_kaldis(count: int) -> None:
    expected = [[int(phone) for phone in phones.split()] for phones in KALDIS[count].split("|")]
    assert phone_classes(statistics(), SETS, count) == expected


@pytest.mark.parametrize("count", [0, 1, len(SETS) + 1])
def test_impossible_numbers_of_classes(count: int) -> None:
    with pytest.raises(KaldiError, match=f"num_classes is {count}, number of phone sets is {len(SETS)}"):
        phone_classes(statistics(), SETS, count)
