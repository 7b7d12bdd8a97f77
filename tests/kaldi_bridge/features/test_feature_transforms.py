"""Deltas, splicing and transforms against their definitions, frame by frame."""

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.splicing import add_deltas, splice
from kaldi_bridge.transforms.linear import transform


@pytest.fixture
def feats() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)


def derivative(feats: np.ndarray, window: int, times: int) -> np.ndarray:
    """By applying the regression again and again to features repeated far beyond their ends."""
    reach = times * window
    values = np.pad(feats.astype(np.float64), ((reach, reach), (0, 0)), mode="edge")
    for _ in range(times):
        n = len(values) - 2 * window
        values = sum(j * values[window + j : window + j + n] for j in range(-window, window + 1))
        values = values / sum(j * j for j in range(-window, window + 1))
    return values


@pytest.mark.parametrize(("order", "window"), [(2, 2), (1, 3), (3, 1), (0, 2)])
def test_deltas(feats: np.ndarray, order: int, window: int) -> None:
    expected = np.concatenate([derivative(feats, window, n) for n in range(order + 1)], axis=1)
    found = add_deltas(feats, order, window)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_deltas_of_few_frames(feats: np.ndarray) -> None:
    assert np.abs(add_deltas(feats[:1])[:, 3:]).max() < 1e-6
    assert add_deltas(feats[:0]).shape == (0, 9)


def test_splice(feats: np.ndarray) -> None:
    found = splice(feats, 2, 1)
    for t in range(9):
        expected = np.concatenate([feats[min(max(t + j, 0), 8)] for j in (-2, -1, 0, 1)])
        np.testing.assert_array_equal(found[t], expected)


def test_transform(feats: np.ndarray) -> None:
    matrix = np.arange(8, dtype=np.float32).reshape(2, 4)
    np.testing.assert_allclose(transform(feats, matrix), feats @ matrix[:, :3].T + matrix[:, 3], rtol=1e-6)
    np.testing.assert_allclose(transform(feats, matrix[:, :3]), feats @ matrix[:, :3].T, rtol=1e-6)
    with pytest.raises(KaldiError, match="2x2 versus feat dim 3"):
        transform(feats, matrix[:, :2])
    with pytest.raises(KaldiError, match="bad dimension 2x4"):
        transform(feats[:, :2], matrix)


def test_nonsense(feats: np.ndarray) -> None:
    for wrong in (lambda: add_deltas(feats, -1), lambda: add_deltas(feats, 2, 0), lambda: splice(feats, -1)):
        with pytest.raises(KaldiError):
            wrong()
    with pytest.raises(KaldiError, match="empty input"):
        splice(feats[:0])
