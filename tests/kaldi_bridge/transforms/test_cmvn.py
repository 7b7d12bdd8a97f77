"""Mean and variance statistics against Kaldi's, and the commands around them."""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.commands.featbin import apply_cmvn as apply_command
from kaldi_bridge.commands.featbin import compute_cmvn_stats as stats_command
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import DOUBLE_MATRIX, FLOAT_MATRIX
from kaldi_bridge.transforms.cmvn import apply_cmvn, compute_stats, fake_some_dims, second_moments


def read(rspecifier: str, holder=FLOAT_MATRIX) -> dict[str, np.ndarray]:
    with SequentialReader(rspecifier, holder) as reader:
        return dict(reader)


@pytest.fixture
def feats() -> np.ndarray:
    return np.random.default_rng(0).normal(3.0, 2.0, (50, 4)).astype(np.float32)


def test_normalized_features_have_mean_0_and_variance_1(feats: np.ndarray) -> None:
    normalized = apply_cmvn(compute_stats(feats), feats, norm_vars=True)
    assert normalized.dtype == np.float32
    np.testing.assert_allclose(normalized.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(normalized.std(0), 1, atol=1e-5)


def test_reverse_undoes(feats: np.ndarray) -> None:
    stats = compute_stats(feats)
    back = apply_cmvn(stats, apply_cmvn(stats, feats, norm_vars=True), norm_vars=True, reverse=True)
    np.testing.assert_allclose(back, feats, atol=1e-5)


def test_skipped_dimensions_stay(feats: np.ndarray) -> None:
    normalized = apply_cmvn(fake_some_dims(compute_stats(feats), [1, 3]), feats, norm_vars=True)
    np.testing.assert_allclose(normalized[:, [1, 3]], feats[:, [1, 3]], rtol=1e-6)
    np.testing.assert_allclose(normalized[:, [0, 2]].mean(0), 0, atol=1e-5)


def test_weights_count_frames(feats: np.ndarray) -> None:
    weights = np.arange(50) % 2
    np.testing.assert_allclose(compute_stats(feats, weights.astype(np.float32)), compute_stats(feats[1::2]))


@pytest.mark.parametrize(
    "stats, message",
    [
        (np.ones((2, 4)), "Dim mismatch"),
        (np.ones((1, 5)), "no variance stats"),
        (np.zeros((2, 5)), "Insufficient stats"),
        (np.full((2, 5), np.nan), "Insufficient stats"),
    ],
)
def test_unusable_statistics(stats: np.ndarray, message: str, feats: np.ndarray) -> None:
    with pytest.raises(KaldiError, match=message):
        apply_cmvn(stats, feats, norm_vars=True)


@pytest.mark.parametrize("stats", [np.zeros((0, 0)), np.ones((1, 3)), np.ones((2, 1)), np.zeros((2, 3))])
def test_second_moments_of_no_statistics(stats: np.ndarray) -> None:
    with pytest.raises(EntryError, match="statistics"):
        second_moments(stats)


def test_statistics_per_speaker_are_kaldis(reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(reference / "fsdd")
    data = "data/test_hires"
    output = f"ark:{tmp_path}/cmvn.ark"
    assert run(stats_command.main, [f"--spk2utt=ark:{data}/spk2utt", f"scp:{data}/feats.scp", output]) == 0
    ours, kaldis = read(output, DOUBLE_MATRIX), read(f"ark:{data}/cmvn.ark", DOUBLE_MATRIX)
    assert list(ours) == list(kaldis)
    for speaker in kaldis:
        np.testing.assert_allclose(ours[speaker], kaldis[speaker], rtol=1e-6, atol=1e-2)


def test_utterances_without_statistics_are_counted(
    tmp_path: Path, feats: np.ndarray, capfd: pytest.CaptureFixture[str]
) -> None:
    with TableWriter(f"ark:{tmp_path}/feats.ark", FLOAT_MATRIX) as writer:
        writer.write("a", feats)
        writer.write("b", feats)
    with TableWriter(f"ark:{tmp_path}/cmvn.ark", DOUBLE_MATRIX) as writer:
        writer.write("a", compute_stats(feats))
    arguments = [f"ark:{tmp_path}/cmvn.ark", f"ark:{tmp_path}/feats.ark", f"ark:{tmp_path}/out.ark"]
    assert run(apply_command.main, arguments) == 0
    assert list(read(f"ark:{tmp_path}/out.ark")) == ["a"]
    error = capfd.readouterr().err
    assert "No normalization statistics available for key b" in error
    assert "to 1 utterances, errors on 1" in error


def test_without_means_the_input_is_copied_as_it_is(reference: Path, tmp_path: Path) -> None:
    source = reference / "tables" / "compressed1.ark"
    arguments = ["--norm-means=false", "ark:/dev/null", f"ark:{source}", f"ark:{tmp_path}/out.ark"]
    assert run(apply_command.main, arguments) == 0
    assert (tmp_path / "out.ark").read_bytes() == source.read_bytes()
