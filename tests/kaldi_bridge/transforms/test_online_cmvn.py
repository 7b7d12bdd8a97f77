"""Online normalization, frame by frame as its definition says."""

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.transforms.cmvn import apply_cmvn, compute_stats
from kaldi_bridge.transforms.online_cmvn import OnlineCmvn, OnlineCmvnOptions

OPTIONS = OnlineCmvnOptions(cmn_window=8, speaker_frames=5, global_frames=3)


@pytest.fixture
def utterances() -> list[np.ndarray]:
    generator = np.random.default_rng(1)
    return [generator.normal(3.0, 2.0, (frames, 4)).astype(np.float32) for frames in (20, 3, 11)]


def by_definition(
    options: OnlineCmvnOptions, utterances: list[np.ndarray], global_stats: np.ndarray
) -> list[np.ndarray]:
    speaker = np.zeros_like(global_stats)
    results = []
    for feats in utterances:
        rows = []
        for t in range(len(feats)):
            stats = compute_stats(feats[max(0, t + 1 - options.cmn_window) : t + 1])
            for source, most in ((speaker, options.speaker_frames), (global_stats, options.global_frames)):
                count = source[0, -1]
                wanted = min(options.cmn_window - stats[0, -1], most, count if source is speaker else np.inf)
                if wanted > 0:
                    stats += wanted / count * source
            rows.append(apply_cmvn(stats, feats[t : t + 1], options.norm_vars)[0])
        results.append(np.stack(rows))
        speaker += compute_stats(feats)
    return results


@pytest.mark.parametrize("norm_vars", [False, True])
def test_by_definition(utterances: list[np.ndarray], norm_vars: bool) -> None:
    options = OnlineCmvnOptions(cmn_window=8, speaker_frames=5, global_frames=3, norm_vars=norm_vars)
    global_stats = compute_stats(np.concatenate(utterances)[::2])
    normalize = OnlineCmvn(options, global_stats, [])
    for feats, expected in zip(utterances, by_definition(options, utterances, global_stats), strict=True):
        found = normalize(feats)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_dimensions_that_are_left_alone(utterances: list[np.ndarray]) -> None:
    global_stats = compute_stats(utterances[0])
    found = OnlineCmvn(OPTIONS, global_stats, [1])(utterances[0])
    np.testing.assert_array_equal(found[:, 1], utterances[0][:, 1])
    assert np.abs(found[:, 0] - utterances[0][:, 0]).min() > 0.01


def test_nothing_to_normalize(utterances: list[np.ndarray]) -> None:
    options = OnlineCmvnOptions(norm_means=False)
    assert OnlineCmvn(options, compute_stats(utterances[0]), [])(utterances[1]) is utterances[1]


def test_nonsense(utterances: list[np.ndarray]) -> None:
    stats = compute_stats(utterances[0])
    for options in (OnlineCmvnOptions(global_frames=700), OnlineCmvnOptions(norm_means=False, norm_vars=True)):
        with pytest.raises(KaldiError):
            OnlineCmvn(options, stats, [])
    with pytest.raises(KaldiError, match="Global CMN stats"):
        OnlineCmvn(OPTIONS, 0 * stats, [])
    with pytest.raises(KaldiError, match="features of dimension 3, statistics of 4"):
        OnlineCmvn(OPTIONS, stats, [])(utterances[0][:, :3])
