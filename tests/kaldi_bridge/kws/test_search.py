"""Indices of keywords, and what is found in them, beside those of Kaldi's programs (search/make.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.kaldis_outputs import Case, assert_as_kaldi, enter_copy, name_of, read_cases
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
