"""Paths that cover lattices, and expanded lattices, beside what Kaldi's programs wrote (covering/make.py)."""

from pathlib import Path

import pytest

from tests.helpers.kaldis_outputs import Case, assert_as_kaldi, enter_copy, name_of, read_cases
from tests.helpers.twins import twin

DATA = Path(__file__).parent / "covering"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_copy(DATA, tmp_path, monkeypatch)


@pytest.mark.parametrize("case", read_cases(DATA), ids=name_of)
def test_as_kaldi(case: Case, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert_as_kaldi(case, folder)
    if case["status"] == 0:
        assert case["log"][-1] in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("lattice-path-cover ark:cyclic ark:OUT/words", "cyclic: utterance u: the lattice has a cycle"),
        ("lattice-path-cover --word-symbol-table=few.txt ark:a.lats", "not in symbol table"),
        ("lattice-expand ark:cyclic ark:OUT/lats", "lattice u: the lattice has a cycle"),
        ("lattice-expand --epsilon=0 ark:a.lats ark:OUT/lats", "--epsilon=0 must be above 0"),
        ("lattice-expand --epsilon=nan ark:a.lats ark:OUT/lats", "--epsilon=nan must be above 0"),
    ],
)
def test_errors(arguments: str, message: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "cyclic").write_text("u \n0 1 5 1,2,62\n1 0 5 1,2,62\n1 0,0,\n\n")
    (folder / "few.txt").write_text("<eps> 0\n")
    program, *words = arguments.split()
    assert twin(program).run(words) == 255
    assert message in capfd.readouterr().err
    assert not list((folder / "OUT").iterdir())


@pytest.mark.parametrize("program", ["lattice-path-cover", "lattice-expand"])
def test_without_paths(program: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It is left out; with nothing else the status is 1."""
    (folder / "empty").write_text("u \n\n")
    assert twin(program).run(["ark:empty", "ark:OUT/made"]) == 1
    assert "WARNING" in capfd.readouterr().err
