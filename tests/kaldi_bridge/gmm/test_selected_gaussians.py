"""Gaussians that are selected: scored one by one, chosen among given ones, written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.gmm.full_model import FullMixture
from kaldi_bridge.gmm.gaussian_selection import likeliest_gaussians
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_RAGGED, INT32_VECTOR_VECTOR
from kaldi_bridge.tables.integer_lists import RaggedIntegers


@pytest.fixture
def mixture() -> FullMixture:
    random = np.random.default_rng(0)
    roots = random.standard_normal((6, 5, 5))
    return FullMixture.of_moments(
        np.full(6, 1 / 6), random.standard_normal((6, 5)), roots @ roots.transpose(0, 2, 1) + np.eye(5)
    )


@pytest.fixture
def feats() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((40, 5)).astype(np.float32)


def test_pairs_as_all_together(mixture: FullMixture, feats: np.ndarray) -> None:
    frames, gaussians = (np.random.default_rng(2).integers(0, most, 200) for most in (40, 6))
    found = mixture.pair_log_likelihoods(feats, frames, gaussians)
    np.testing.assert_allclose(found, mixture.all_log_likelihoods(feats)[frames, gaussians], rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="no such frame or Gaussian"):
        mixture.pair_log_likelihoods(feats, frames, gaussians + 1)
    with pytest.raises(KaldiError, match="dimension 4"):
        mixture.pair_log_likelihoods(feats[:, :4], frames, gaussians)


@pytest.mark.parametrize("with_pairs", [True, False])
def test_chosen_among_some(mixture: FullMixture, feats: np.ndarray, with_pairs: bool) -> None:
    """Frames may have fewer of them than are wanted."""
    lists = [[5, 1, 3], [2], [0, 4]] * 13 + [[3, 0]]
    scores = mixture.all_log_likelihoods(feats)
    of_pairs = mixture.pair_log_likelihoods if with_pairs else None
    among = RaggedIntegers.from_lists(lists)
    found, total = likeliest_gaussians(mixture.all_log_likelihoods, 6, feats, 2, among, of_pairs)
    expected = [sorted(some, key=lambda g: -scores[t, g])[:2] for t, some in enumerate(lists)]
    assert np.split(found.values, found.offsets[1:-1])[1].tolist() == [2]
    assert [part.tolist() for part in np.split(found.values, found.offsets[1:-1])] == expected
    assert total == pytest.approx(sum(np.logaddexp.reduce(scores[t, own]) for t, own in enumerate(expected)), rel=1e-5)
    for bad in ([[6]] * 40, [[-1]] * 40, [[0]] * 39 + [[]]):
        with pytest.raises(KaldiError, match="the model's 6 are not, or none"):
            likeliest_gaussians(mixture.all_log_likelihoods, 6, feats, 2, RaggedIntegers.from_lists(bad), of_pairs)


@pytest.mark.parametrize("lists", [[[1, 2], [], [3]], [], [[]], [[-7]] * 3])
def test_written_at_once_as_one_by_one(tmp_path: Path, lists: list[list[int]]) -> None:
    with TableWriter(f"ark:{tmp_path}/ragged", INT32_RAGGED) as writer:
        writer.write("a", RaggedIntegers.from_lists(lists))
    with TableWriter(f"ark:{tmp_path}/lists", INT32_VECTOR_VECTOR) as one_by_one:
        one_by_one.write("a", lists)
    assert (tmp_path / "ragged").read_bytes() == (tmp_path / "lists").read_bytes()
    with SequentialReader(f"ark:{tmp_path}/ragged", INT32_VECTOR_VECTOR) as reader:
        assert list(reader) == [("a", lists)]
