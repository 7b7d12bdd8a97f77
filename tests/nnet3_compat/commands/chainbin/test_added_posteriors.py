"""Posteriors added to chain examples beside those of Kaldi's nnet3-chain-add-post-to-egs (added_posteriors/make.py)."""

from pathlib import Path

import pytest

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
