"""What Kaldi's FmllrDiagGmmAccs holds back (transform/fmllr-diag-gmm.cc, CommitSingleFrameStats)."""

from __future__ import annotations

import numpy as np
import pytest

from kaldi_bridge.transforms.fmllr import FmllrStatistics

DIM = 3


def made(feats: np.ndarray, pieces: list[int]) -> FmllrStatistics:
    """Of frames that come in pieces, which end before the given ones."""
    statistics, random = FmllrStatistics(DIM), np.random.default_rng(1)
    sums = [random.uniform(0.1, 1.0, size) for size in (len(feats), (len(feats), DIM), (len(feats), DIM))]
    for begin, end in zip([0, *pieces], [*pieces, len(feats)], strict=True):
        statistics.add(feats[begin:end], *(part[begin:end] for part in sums))
    return statistics


@pytest.mark.parametrize("pieces", [[], [1], [4], [4, 5], [2, 3, 6]])
def test_the_last_frame_and_those_equal_to_it_are_held_back(pieces: list[int]) -> None:
    feats = np.random.default_rng(2).normal(size=(7, DIM)).astype(np.float32)
    feats[3:] = feats[1]  # 1 is not right before them
    statistics, want = made(feats, pieces), FmllrStatistics(DIM)
    random = np.random.default_rng(1)
    want.add(feats[:3], *(random.uniform(0.1, 1.0, size)[:3] for size in (7, (7, DIM), (7, DIM))))
    statistics.drop_last_frame()
    assert statistics.count == pytest.approx(want.count)
    np.testing.assert_allclose(statistics.linear, want.linear, atol=1e-12)
    np.testing.assert_allclose(statistics.quadratic, want.quadratic, atol=1e-12)
