"""Proxies of keywords beside those of Kaldi's generate-proxy-keywords (proxies/make.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaldi_bridge.fsts.fst import FST, Fst, write_fst
from kaldi_bridge.tables import SequentialReader
from tests.helpers.kaldis_outputs import ERROR, Case, assert_as_kaldi, enter_copy, name_of, read_cases
from tests.helpers.twins import twin

DATA = Path(__file__).parent / "proxies"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_copy(DATA, tmp_path, monkeypatch)


@pytest.mark.parametrize("case", read_cases(DATA), ids=name_of)
def test_as_kaldi(case: Case, folder: Path) -> None:
    """The same FSTs, state by state, and lists."""
    assert_as_kaldi(case, folder)


def test_no_proxies(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An FST that accepts nothing, and no lines, where Kaldi's program crashes; so for words that have no phones."""
    write_fst("short.fst", Fst.from_arcs(0, {0: 0.0}, [(0, 1, 21, 0.5, 0)]))
    (folder / "keywords").write_text("KW-1 3\nKW-2 99\n")
    arguments = ["confusable.fst", "short.fst", "ark:keywords", "ark:OUT/fsts", "ark,t:OUT/list"]
    assert twin("generate-proxy-keywords").run(["--phone-nbest=1", *arguments]) == 0
    with SequentialReader("ark:OUT/fsts", FST) as reader:
        assert [(key, fst.start) for key, fst in reader] == [("KW-1", -1), ("KW-2", -1)]
    assert (folder / "OUT/list").read_text() == ""


def test_negative_costs(capfd: pytest.CaptureFixture[str]) -> None:
    write_fst("cheap.fst", Fst.from_arcs(0, {0: 0.0}, [(0, 1, 21, -0.5, 0)]))
    arguments = ["confusable.fst", "cheap.fst", "ark:keywords", "ark:OUT/fsts"]
    assert twin("generate-proxy-keywords").run(arguments) == ERROR
    assert "costs are negative" in capfd.readouterr().err
