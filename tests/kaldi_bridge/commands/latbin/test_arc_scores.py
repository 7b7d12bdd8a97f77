"""Scores of arcs added to lattices, beside what Kaldi's program wrote (arc_scores/make.py)."""

from pathlib import Path

import pytest

from tests.helpers.kaldis_outputs import Case, assert_as_kaldi, enter_copy, name_of, read_cases
from tests.helpers.twins import twin

DATA = Path(__file__).parent / "arc_scores"
PROGRAM = "lattice-add-nnlmscore"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_copy(DATA, tmp_path, monkeypatch)


@pytest.mark.parametrize("case", read_cases(DATA), ids=name_of)
def test_as_kaldi(case: Case, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert_as_kaldi(case, folder)
    if case["status"] == 0:
        assert case["log"][-1] in capfd.readouterr().err


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ("v 0 1 1\n", "scores has no scores for the lattice of u"),
        ("u 0 1 1\n", "lattice of u: the arc from state 0 to 2 has no score"),
        ("u 0 1\n", "scores, line 1: expected an utterance, two states and a score"),
        ("u 0 -1 1\n", "scores, line 1: expected an utterance, two states and a score"),
        ("u 0 1 one\n", "'one' is no number: expected the score of an arc"),
    ],
)
def test_scores_that_do_not_fit(scores: str, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    Path("scores").write_text(scores)
    assert twin(PROGRAM).run(["ark:a.lats", "scores", "ark,t:OUT/1"]) == 255
    assert message in capfd.readouterr().err


def test_a_cycle(capfd: pytest.CaptureFixture[str]) -> None:
    Path("bad").write_text("u \n0\t1\t5\t1,2,62\n1\t0\t5\t1,2,62\n1\t0,0,\n\n")
    assert twin(PROGRAM).run(["ark:bad", "scores", "ark,t:OUT/1"]) == 255
    assert "lattice of u: the lattice has a cycle" in capfd.readouterr().err
