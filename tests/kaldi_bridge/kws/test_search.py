"""Indices of keywords, and what is found in them, beside those of Kaldi's programs (search/make.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.kaldis_outputs import ERROR, Case, assert_as_kaldi, enter_copy, name_of, read_cases
from tests.helpers.twins import twin

DATA = Path(__file__).parent / "search"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_copy(DATA, tmp_path, monkeypatch)


@pytest.mark.parametrize("case", read_cases(DATA), ids=name_of)
def test_as_kaldi(case: Case, folder: Path) -> None:
    """The same indices, state by state, and the same lines."""
    assert_as_kaldi(case, folder)


def test_the_same_bytes(folder: Path) -> None:
    assert twin("lattice-to-kws-index").run(["ark:utt.map", "ark:lattices", "ark:OUT/indices"]) == 0
    assert twin("kws-index-union").run(["ark:OUT/indices", "ark:OUT/global"]) == 0
    for name in ("indices", "global"):
        assert (folder / "OUT" / name).read_bytes() == (folder / name).read_bytes()


def test_costs_that_are_not_numbers(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Such a lattice is left out; in the index of it that Kaldi writes, nothing is found."""
    (folder / "some").write_text("a \n0 1 1 nan,2,3_4\n1 0,0,\n\nb \n0 1 1 1,2,3_4\n1 0,0,\n\n")
    (folder / "map").write_text("a 1\nb 2\n")
    assert twin("lattice-to-kws-index").run(["ark:map", "ark:some", "ark:OUT/indices"]) == 0
    log = capfd.readouterr().err
    assert "Costs are minus infinity or not a number in lattice a" in log and "Done 1 lattices, failed for 1" in log
    assert twin("kws-index-union").run(["ark:OUT/indices", "ark:OUT/global"]) == 0


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("0 1 1 0 nan,0,3\n1\n", "minus infinity or not a number"),
        ("0 1 1 0 -inf,0,3\n1\n", "minus infinity or not a number"),
        ("0 1 1 0 1,0,3\n1 0 1 1\n1\n", "the index has a cycle"),
        ("0 1 1 0 1,0\n1\n", "bad line in a text FST"),
        ("0 1 1 -5 1,0,2\n1\n", "bad line in a text FST"),
    ],
)
def test_bad_indices(index: str, message: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "bad").write_text(f"global \n{index}\n")
    for program, *tables in (("kws-search", "ark:bad", "ark:keywords"), ("kws-index-union", "ark:bad")):
        assert twin(program).run([*tables, "ark:OUT/made"]) == ERROR
        assert message in capfd.readouterr().err
    assert not list((folder / "OUT").iterdir())


@pytest.mark.parametrize("options", [[], ["--nbest=2"]])
def test_an_utterance_before_the_end(options: list[str], folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "bad").write_text("global \n0 1 1 2130706432 1,0,3\n1 2 0 2 1,0,2\n2\n\n")
    assert twin("kws-search").run([*options, "ark:bad", "ark:keywords", "ark:OUT/made", "ark:OUT/paths"]) == ERROR
    assert "an utterance on an arc that does not lead to an end" in capfd.readouterr().err


@pytest.mark.parametrize("scale", ["1e30", "inf"])
def test_as_many_states_as_there_may_be(scale: str, folder: Path) -> None:
    options = [f"--max-states-scale={scale}"]
    assert twin("lattice-to-kws-index").run([*options, "ark:utt.map", "ark:lattices", "ark:OUT/indices"]) == 0
    assert (folder / "OUT/indices").read_bytes() == (folder / "indices").read_bytes()


@pytest.mark.parametrize(
    ("keyword", "message"),
    [
        ("0 0 0 0 1\n0 1 1 1\n1\n", "it has a cycle"),
        ("0 1 1 1 nan\n1\n", "a cost that is not finite"),
        ("0 1 1 1 inf\n1\n", "a cost that is not finite"),
        ("0 1 1 1\n1 -inf\n", "a cost that is not finite"),
    ],
)
def test_bad_keywords(keyword: str, message: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "bad").write_text(f"KW-bad \n{keyword}\n")
    assert twin("kws-search").run(["ark:global", "ark:bad", "ark:OUT/results"]) == ERROR
    log = capfd.readouterr().err
    assert message in log and "keyword KW-bad" in log
    assert not list((folder / "OUT").iterdir())


def test_the_best_one(folder: Path) -> None:
    """Where Kaldi's program crashes."""
    found = []
    for count in ("1", "2"):
        assert twin("kws-search").run([f"--nbest={count}", "ark:global", "ark:keywords", "ark,t:OUT/results"]) == 0
        found.append((folder / "OUT/results").read_text().splitlines())
    best = {line.split()[0]: line for line in reversed(found[1])}
    assert {line.split()[0]: line for line in found[0]} == best and len(found[0]) == len(best)


def test_lattices_left_out(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """In Kaldi's words; where Kaldi's program fails an assertion, an error."""
    (folder / "odd").write_text("utt0 \n0 1 1 1,1,3\n1 0 1 1,1,3\n1 0,0,\n\nutt1 \n0 1 1 1,1,3\n1 0,0,\n2 1,1,\n\n")
    assert twin("lattice-to-kws-index").run(["ark:utt.map", "ark:odd", "ark:OUT/index"]) == 1
    log = capfd.readouterr().err
    assert "Cycles detected in lattice utt0" in log
    assert "State id's and alignments do not match for lattice utt1" in log
    (folder / "uneven").write_text("utt2 \n0 1 1 1,1,3\n0 1 2 1,1,3_3\n1 0,0,\n\n")
    assert twin("lattice-to-kws-index").run(["ark:utt.map", "ark:uneven", "ark:OUT/index"]) == ERROR
    assert "utterance utt2: the lattice is not consistent" in capfd.readouterr().err


@pytest.mark.parametrize("options", [[], ["--nbest=2"]])
def test_an_index_that_ends_at_its_start(options: list[str], folder: Path) -> None:
    """That is no occurrence."""
    (folder / "index").write_text("global \n0 1 1 0 1,0,3\n1 2 0 2 1,0,2\n2\n0\n\n")
    (folder / "keyword").write_text("KW \n0 1 1 1\n1\n0 1\n\n")
    assert twin("kws-search").run([*options, "ark:index", "ark:keyword", "ark,t:OUT/results"]) == 0
    assert (folder / "OUT/results").read_text() == "KW 2 0 5 2 \n"
