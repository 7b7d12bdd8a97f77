"""Term-weighted values beside what Kaldi's compute-atwv wrote (scoring/make.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.kaldis_outputs import ERROR, Case, enter_copy, name_of, read_cases
from tests.helpers.twins import twin

DATA = Path(__file__).parent / "scoring"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_copy(DATA, tmp_path, monkeypatch)


@pytest.mark.parametrize("case", read_cases(DATA), ids=name_of)
def test_as_kaldi(case: Case, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The same figures; the alignment has what was not found in another order, Kaldi's being a hash table's."""
    assert twin("compute-atwv").run(case["arguments"]) == case["status"]
    heard = capfd.readouterr()
    assert heard.out == case["stdout"]
    if case["status"] == ERROR:
        assert "ERROR" in heard.err
    if case["log"] and not case["status"]:
        assert case["log"][-1] in heard.err
    for name, content in case["outputs"].items():
        assert sorted((folder / "OUT" / name).read_text().splitlines()) == sorted(content.splitlines())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("KW-1 1 2 x 1\n", "expected numbers on the line before"),
        ("KW-1 1 2 nan 1\n", "keyword KW-1: expected utterance, two frames and a score, got 1 2 nan 1"),
        ("KW-1 1 2 1e10 1\n", "keyword KW-1: expected utterance, two frames and a score, got 1 2 1e+10 1"),
        ("KW-1 1 2 3 4 5\n", "keyword KW-1: expected utterance, two frames and a score, got 5 numbers"),
    ],
)
def test_bad_lines(text: str, message: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "bad").write_text(text)
    assert twin("compute-atwv").run(["600", "ark:said", "ark:bad", "OUT/alignment.csv"]) == ERROR
    assert message in capfd.readouterr().err
    assert not (folder / "OUT/alignment.csv").exists()


def test_options_that_make_no_sense(capfd: pytest.CaptureFixture[str]) -> None:
    for options in (["--sweep-step=0"], ["--prior-kw-probability=0"], ["--frames-per-sec=0"]):
        assert twin("compute-atwv").run([*options, "600", "ark:said", "ark:found"]) == ERROR
        assert "must be greater than zero" in capfd.readouterr().err
