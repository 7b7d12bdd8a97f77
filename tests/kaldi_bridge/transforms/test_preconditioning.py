"""LDA statistics and the transform of a network's input made from them."""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.commands.bin import sum_lda_accs
from kaldi_bridge.commands.nnet2bin import nnet_get_feature_transform
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.basic_io import read_header, write_header
from kaldi_bridge.io.matrix_io import read_matrix, read_packed
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.transforms.lda_statistics import LdaStatistics, read_sum
from kaldi_bridge.transforms.preconditioning import estimate

CLASSES, DIM, FRAMES = 12, 5, 4000


def statistics(seed: int) -> tuple[LdaStatistics, np.ndarray, np.ndarray]:
    """Statistics of frames around the means of classes; the frames [frames, dim] and their classes."""
    random = np.random.default_rng(seed)
    means = np.random.default_rng(0).normal(size=(CLASSES, DIM)) * [3.0, 1.0, 0.3, 0.1, 0.0] + 2.0
    classes = random.integers(CLASSES, size=FRAMES)
    frames = means[classes] + random.normal(size=(FRAMES, DIM)) @ np.diag([1.0, 2.0, 0.5, 1.0, 0.2])
    made = LdaStatistics(CLASSES, DIM)
    made.accumulate(frames, np.arange(FRAMES), classes, np.ones(FRAMES))
    return made, frames, classes


def write(path: Path, made: LdaStatistics, binary: bool = True) -> str:
    with open_output(str(path)) as stream:
        write_header(stream, binary)
        made.write(stream, binary)
    return str(path)


@pytest.mark.parametrize("binary", [True, False])
def test_files_and_sums(binary: bool, tmp_path: Path) -> None:
    parts = [statistics(seed)[0] for seed in (1, 2)]
    paths = [write(tmp_path / f"{i}.acc", part, binary) for i, part in enumerate(parts)]
    assert run(sum_lda_accs.main, [f"--binary={str(binary).lower()}", str(tmp_path / "sum.acc"), *paths]) == 0
    total = read_sum([str(tmp_path / "sum.acc")])
    for name in ("counts", "sums", "products"):
        wanted = getattr(parts[0], name) + getattr(parts[1], name)
        np.testing.assert_allclose(getattr(total, name), wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


def test_covariances() -> None:
    made, frames, classes = statistics(1)
    mean, total, between = made.covariances()
    np.testing.assert_allclose(mean, frames.mean(0))
    np.testing.assert_allclose(total, np.cov(frames.T, bias=True))
    of_class = np.stack([frames[classes == c].mean(0) for c in range(CLASSES)])[classes]
    np.testing.assert_allclose(between, np.cov(of_class.T, bias=True), atol=1e-9)


def test_transform() -> None:
    """Projected features have mean zero; a variance near one where classes differ, a small one where they do not."""
    made, frames, classes = statistics(1)
    transform = estimate(made, max_singular_value=0.0)
    assert transform.shape == (DIM, DIM + 1)
    projected = frames @ transform[:, :-1].T + transform[:, -1]
    np.testing.assert_allclose(projected.mean(0), 0.0, atol=1e-4)
    shares = np.bincount(classes) / FRAMES
    within = sum(share * np.cov(projected[classes == c].T, bias=True) for c, share in enumerate(shares))
    total = np.cov(projected.T, bias=True)
    np.testing.assert_allclose(total, np.diag(np.diag(total)), atol=1e-5)
    between = np.diag(total) - np.diag(within)
    ratio = between / np.diag(within)  # the lambda of the formula: (factor + lambda) is the variance
    np.testing.assert_allclose(np.diag(total), 0.001 + ratio, rtol=1e-3)
    assert (np.diff(np.diag(total)) < 0).all()


def test_limit_of_singular_values() -> None:
    made, _, _ = statistics(1)
    free, limited = (estimate(made, max_singular_value=limit)[:, :-1] for limit in (0.0, 0.4))
    before, after = np.linalg.svd(free)[1], np.linalg.svd(limited)[1]
    assert before.max() > 0.4
    np.testing.assert_allclose(after, np.minimum(before, 0.4), rtol=1e-5)


def test_program(tmp_path: Path) -> None:
    path = write(tmp_path / "lda.acc", statistics(1)[0])
    out, covariance = tmp_path / "lda.mat", tmp_path / "within.spmat"
    arguments = ["--dim=3", f"--write-within-covar={covariance}", str(out), path]
    assert run(nnet_get_feature_transform.main, arguments) == 0
    with open_input(str(out)) as stream:
        assert read_matrix(stream, read_header(stream)).shape == (3, DIM + 1)
    with open_input(str(covariance)) as stream:
        packed = read_packed(stream, read_header(stream))
    _, total, between = read_sum([path]).covariances()
    np.testing.assert_allclose(packed, (total - between)[np.tril_indices(DIM)], rtol=1e-4, atol=1e-5)


def test_other_sizes(tmp_path: Path) -> None:
    one, other = write(tmp_path / "1", LdaStatistics(3, 2)), write(tmp_path / "2", LdaStatistics(3, 4))
    with pytest.raises(KaldiError, match="2: statistics of other sizes cannot be added"):
        read_sum([one, other])
    with pytest.raises(KaldiError, match="--dim=9 is larger"):
        estimate(statistics(1)[0], dim=9)
