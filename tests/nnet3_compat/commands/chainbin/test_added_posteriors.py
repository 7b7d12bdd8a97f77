"""Posteriors added to chain examples beside those of Kaldi's nnet3-chain-add-post-to-egs (added_posteriors/make.py)."""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE
from kaldi_bridge.io.sparse import to_dense
from kaldi_bridge.tables import SequentialReader
from tests.helpers.kaldis_outputs import ERROR, Case, assert_as_kaldi, enter_copy, name_of, read_cases
from tests.helpers.twins import twin

DATA = Path(__file__).parent / "added_posteriors"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_copy(DATA, tmp_path, monkeypatch)


@pytest.mark.parametrize("case", read_cases(DATA), ids=name_of)
def test_as_kaldi(case: Case, folder: Path) -> None:
    """The same examples, numbers to 1e-4."""
    assert_as_kaldi(case, folder)


def test_unknown_type(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An error, where Kaldi's program copies the examples."""
    files = ["nnet.raw", "den.fst", "ark:chain.egs", "ark,t:OUT/egs"]
    assert twin("nnet3-chain-add-post-to-egs").run(["--type=num", *files]) == ERROR
    assert "--type=num must be raw or den" in capfd.readouterr().err
    assert not (folder / "OUT/egs").exists()


def test_clipped(folder: Path) -> None:
    """Small ones become zero; of Kaldi's program, which takes the absolute value of an integer there, all do."""
    posteriors = []
    for threshold in ("0", "0.2"):
        options = ["--type=den", "--leaky-hmm-coefficient=0.2", f"--clip-threshold={threshold}"]
        files = ["nnet.raw", "den.fst", "ark:chain.egs", "ark:OUT/egs"]
        assert twin("nnet3-chain-add-post-to-egs").run([*options, *files]) == 0
        with SequentialReader("ark:OUT/egs", CHAIN_EXAMPLE) as reader:
            posteriors.append(np.concatenate([to_dense(example.inputs[-1].features) for _, example in reader]))
    whole, clipped = posteriors
    assert 0 < (clipped == 0).sum() < clipped.size
    np.testing.assert_array_equal(clipped, np.where(whole < 0.2, 0, whole))
