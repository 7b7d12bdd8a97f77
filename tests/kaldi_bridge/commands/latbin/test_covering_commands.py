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


def test_states_out_of_reach(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Kaldi's warning, and its paths, of which one has no beginning."""
    (folder / "lats").write_text("a \n0 2 1 1,1,3\n1 2 2 1,1,3\n2 0,0,\n\n")
    tables = [f"ark,t:OUT/{name}" for name in ("words", "states", "costs")]
    assert twin("lattice-path-cover").run(["ark:lats", *tables]) == 0
    written = [(folder / "OUT" / name).read_text() for name in ("words", "states", "costs")]
    assert written == ["a-1 1 \na-2 2 \n", "a-1 0 2 \na-2 1 2 \n", "a-1 2 \na-2 inf \n"]
    assert "Failure in path cover algorithm for lattice." in capfd.readouterr().err
