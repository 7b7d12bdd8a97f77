"""Recurrent language models of Mikolov's toolkit, beside what Kaldi's program wrote (mikolov/make.py)."""

from pathlib import Path

import pytest

from tests.helpers.kaldis_outputs import Case, assert_as_kaldi, enter_copy, name_of, read_cases
from tests.helpers.twins import twin

DATA = Path(__file__).parent / "mikolov"
PROGRAM = "lattice-lmrescore-rnnlm"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_copy(DATA, tmp_path, monkeypatch)


@pytest.mark.parametrize("case", read_cases(DATA), ids=name_of)
def test_as_kaldi(case: Case, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert_as_kaldi(case, folder)
    assert case["log"][-1] in capfd.readouterr().err


def changed(name: str, old: str, new: str) -> None:
    data = Path(name).read_bytes()
    assert old.encode() in data
    Path("bad").write_bytes(data.replace(old.encode(), new.encode(), 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version: 10", "version: 9", "Unknown version 9 of a recurrent language model"),
        ("version: 10", "version: x", "'x' is not the version of a recurrent language model"),
        ("file format: 0", "file format: 2", "the file format is unknown"),
        ("hidden layer size: 8", "hidden layer size: 7", "the sizes of its layers do not fit"),
        ("direct connections: 0", "direct connections: 5", "5 direct connections of order 0 make no sense"),
        ("\tc\t", "\tc x\t", "expected a number, a count, a word and its class"),
        ("Weights 1->2:\n", "Weights 1->2:\nnan\n", "weights that are no finite numbers"),
        ("Weights 1->2:\n", "Weights 1->2:\nx\n", "expected 9 x 8 weights"),
        ("Direct connections:", "", "input ends before ':'"),
    ],
)
def test_damaged_models(old: str, new: str, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    changed("plain.rnnlm", old, new)
    assert twin(PROGRAM).run(["words.txt", "ark:a.lats", "bad", "ark,t:OUT/1"]) == 255
    assert message in capfd.readouterr().err
    assert not Path("OUT/1").exists()


def test_a_model_that_is_cut_off(capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("plain.rnnlm", "binary.rnnlm"):
        data = Path(name).read_bytes()
        for size in (0, 5, 300, len(data) // 2, len(data) - 100):
            Path("bad").write_bytes(data[:size])
            assert twin(PROGRAM).run(["words.txt", "ark:a.lats", "bad", "ark,t:OUT/1"]) == 255, size
    assert "(a bug" not in capfd.readouterr().err


def test_words_that_the_symbol_table_lacks(capfd: pytest.CaptureFixture[str]) -> None:
    Path("gap").write_text("<eps> 0\na 1\nc 3\n")
    assert twin(PROGRAM).run(["gap", "ark:a.lats", "plain.rnnlm", "ark,t:OUT/1"]) == 255
    assert "Could not find word for integer 2" in capfd.readouterr().err
    Path("few").write_text("<eps> 0\na 1\n")
    assert twin(PROGRAM).run(["few", "ark:a.lats", "plain.rnnlm", "ark,t:OUT/1"]) == 255
    assert "is not in the symbol table" in capfd.readouterr().err
