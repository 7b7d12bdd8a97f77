"""Lattices with the costs of a recurrent language model, beside what Kaldi's programs wrote (rnnlm/tiny/make.py)."""

import re
from pathlib import Path

import pytest

from tests.helpers.kaldis_outputs import Case, assert_alike, assert_as_kaldi, enter_copy, name_of, read_cases
from tests.helpers.twins import twin

DATA = Path(__file__).parent.parent.parent / "rnnlm/tiny"
CASES = read_cases(DATA)
WHOLE, PRUNED = "lattice-lmrescore-kaldi-rnnlm", "lattice-lmrescore-kaldi-rnnlm-pruned"
SYMBOLS = ["--bos-symbol=8", "--eos-symbol=9"]
MODEL = ["word_embedding.mat", "final.raw"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_copy(DATA, tmp_path, monkeypatch)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_as_kaldi(case: Case, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert_as_kaldi(case, folder)
    if case["status"] == 0:
        assert case["log"][-1] in capfd.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("utt0 \n0\t1\t10\t1,2,3_4\n1\t0,0,\n\n", "lattice of utt0: word 10 is none of the language model's"),
        ("utt0 \n0\t1\t5\t1,2,62\n1\t0\t5\t1,2,62\n1\t0,0,\n\n", "lattice of utt0: "),
    ],
)
def test_lattices_that_cannot_be_rescored(text: str, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    Path("bad").write_text(text)
    for program, old in ((WHOLE, []), (PRUNED, ["backoff.fst"])):
        assert twin(program).run([*SYMBOLS, "--max-ngram-order=0", *old, *MODEL, "ark:bad", "ark,t:OUT/1"]) == 255
        assert message in capfd.readouterr().err
        assert not Path("OUT/1").exists() or Path("OUT/1").read_text() == ""


def test_lattices_without_paths(capfd: pytest.CaptureFixture[str]) -> None:
    Path("empty").write_text("utt0 \n\n")
    assert twin(WHOLE).run([*SYMBOLS, *MODEL, "ark:empty", "ark,t:OUT/1"]) == 1
    assert "Empty lattice for utterance utt0" in capfd.readouterr().err
    assert twin(PRUNED).run([*SYMBOLS, "backoff.fst", *MODEL, "ark:empty", "ark,t:OUT/1"]) == 1
    assert "For utterance utt0: the lattice is empty." in capfd.readouterr().err


def test_an_embedding_of_another_model(capfd: pytest.CaptureFixture[str]) -> None:
    Path("other.mat").write_text(" [\n 1 2 3\n 4 5 6 ]\n")
    assert twin(WHOLE).run([*SYMBOLS, "other.mat", "final.raw", "ark:a.lats", "ark,t:OUT/1"]) == 255
    assert "word embeddings of dimension 3 do not fit a network whose input has dimension 8" in capfd.readouterr().err


def test_searches_at_once() -> None:
    """More lattices than are searched at once come out in order, each as if it were alone."""
    (case,) = [c for c in CASES if c["arguments"] == [*SYMBOLS, "backoff.fst", *MODEL, "ark:a.lats", "ark,t:OUT/1"]]
    lattices = Path("a.lats").read_text()
    copies = [re.sub("^utt", f"copy{i:02}-utt", lattices, flags=re.MULTILINE) for i in range(8)]
    Path("many").write_text("".join(copies))
    assert twin(PRUNED).run([*SYMBOLS, "backoff.fst", *MODEL, "ark:many", "ark,t:OUT/1"]) == 0
    expected = "".join(re.sub("^utt", f"copy{i:02}-utt", case["outputs"]["1"], flags=re.MULTILINE) for i in range(8))
    assert_alike(Path("OUT/1").read_text(), expected)


def test_an_error_in_one_of_many(capfd: pytest.CaptureFixture[str]) -> None:
    lattices = Path("a.lats").read_text()
    Path("many").write_text(lattices + "bad \n0\t1\t10\t1,2,3_4\n1\t0,0,\n\n" + lattices.replace("utt", "v"))
    assert twin(PRUNED).run([*SYMBOLS, "backoff.fst", *MODEL, "ark:many", "ark,t:OUT/1"]) == 255
    assert "lattice of bad: word 10 is none of the language model's" in capfd.readouterr().err
    assert not Path("OUT/1").exists()
