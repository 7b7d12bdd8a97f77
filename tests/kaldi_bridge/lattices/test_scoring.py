"""Kaldi's lattices through our scoring tools: Kaldi's own best paths and word error rates, line for line."""

from pathlib import Path

import pytest

from kaldi_bridge.command import run
from kaldi_bridge.commands.bin import compute_wer
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.lattices.costs import add_word_penalty, scale
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.paths import best_path
from kaldi_bridge.lattices.word_error_rate import WordErrors, edit_distance
from kaldi_bridge.tables import SequentialReader


@pytest.mark.parametrize(
    "reference, hypothesis, expected",
    [
        ("a b c", "a b c", (0, 0, 0)),
        ("a b c", "a c", (0, 1, 0)),
        ("a c", "a b c", (1, 0, 0)),
        ("a b", "a x", (0, 0, 1)),
        ("", "a b", (2, 0, 0)),
        ("a b", "", (0, 2, 0)),
        ("a b", "b a", (1, 1, 0)),
    ],
)
def test_edit_distance(reference: str, hypothesis: str, expected: tuple[int, int, int]) -> None:
    assert edit_distance(reference.split(), hypothesis.split()) == expected


@pytest.mark.slow
@pytest.mark.parametrize("decode", ["decode_test", "decode_test_cmvn"])
def test_every_weight_and_penalty(reference: Path, decode: str) -> None:
    fsdd = reference / "fsdd"
    words = SymbolTable.read(str(fsdd / "graph/words.txt"))
    with SequentialReader(f"ark:gunzip -c {fsdd}/{decode}/lat.*.gz |", COMPACT_LATTICE) as reader:
        lattices = dict(reader)
    text = dict(line.split(maxsplit=1) for line in (fsdd / "data/test/text").read_text().splitlines())
    for lmwt in range(7, 18):
        scaled = {key: scale(lattice, acoustic=1.0 / lmwt) for key, lattice in lattices.items()}
        for penalty in ("0.0", "0.5", "1.0"):
            errors, lines = WordErrors(), []
            for key, lattice in scaled.items():
                path = best_path(add_word_penalty(lattice, float(penalty)))
                assert path is not None
                hypothesis = [words[word] for word in path.words]
                lines.append(" ".join([key, *hypothesis]) + " ")
                errors.add(text[key].split(), hypothesis)
            kaldis = (fsdd / decode / f"wer_{lmwt}_{penalty}").read_text().splitlines()
            assert errors.report().splitlines() == kaldis[-3:], (lmwt, penalty)
            texts = fsdd / decode / f"{lmwt}.txt"
            if penalty == "0.0" and texts.exists():
                assert lines == texts.read_text().splitlines()


def test_best_path_alignments_are_kaldis(reference: Path) -> None:
    """Kaldi's best paths were taken at language-model weight 10."""
    fsdd = reference / "fsdd"
    expected = dict(
        line.split(maxsplit=1) for line in (fsdd / "decode_test/best_path.transition_ids.txt").read_text().splitlines()
    )
    with SequentialReader(f"ark:gunzip -c {fsdd}/decode_test/lat.*.gz |", COMPACT_LATTICE) as reader:
        for key, lattice in reader:
            path = best_path(scale(lattice, acoustic=0.1))
            assert path is not None
            assert path.alignment == [int(t) for t in expected[key].split()], key


@pytest.mark.parametrize("mode, status", [("strict", 255), ("present", 0), ("all", 0), ("wrong", 255)])
def test_absent_hypotheses(tmp_path: Path, capfd: pytest.CaptureFixture[str], mode: str, status: int) -> None:
    (tmp_path / "ref").write_text("a one two\nb three\n")
    (tmp_path / "hyp").write_text("a one too\n")
    assert run(compute_wer.main, [f"--mode={mode}", f"ark:{tmp_path}/ref", f"ark:{tmp_path}/hyp"]) == status
    out = capfd.readouterr().out
    if mode == "present":
        assert "%WER 50.00 [ 1 / 2, 0 ins, 0 del, 1 sub ] [PARTIAL]" in out
    if mode == "all":
        assert "%WER 66.67 [ 2 / 3, 0 ins, 1 del, 1 sub ] [PARTIAL]" in out
        assert "Scored 2 sentences, 1 not present in hyp." in out
