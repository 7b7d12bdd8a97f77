"""Counts and probabilities of pronunciations and silences, as Kaldi's scripts have them.

Folder ``pronprobs``: made-up ``prons`` and ``dict``, and what get_prons.sh (--stage 2) and dict_dir_add_pronprobs.sh
wrote.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from kaldi_bridge.command import run
from kaldi_bridge.commands.lang.count_prons import main as count_prons
from kaldi_bridge.commands.lang.dict_dir_add_pronprobs import main as dict_dir_add_pronprobs
from kaldi_bridge.io.text import words
from kaldi_bridge.lang.dictionary import Dictionary

MADE = Path(__file__).parent / "pronprobs"
COUNTS = [f"{MADE}/{name}_nowb.txt" for name in ("pron_counts", "sil_counts", "pron_bigram_counts")]


def rows(path: Path) -> list[list[str]]:
    return [words(line) for line in path.read_text().splitlines()]


def test_counts(tmp_path: Path) -> None:
    """The same files; lines that Kaldi's scripts leave in the order of a hash table are compared sorted."""
    assert run(count_prons, [f"{MADE}/lang", f"{MADE}/prons", str(tmp_path)]) == 0
    for name in ("pron_counts_nowb.txt", "pron_perutt_nowb.txt", "sil_counts_nowb.txt"):
        assert (tmp_path / name).read_bytes() == (MADE / name).read_bytes()
    assert rows(tmp_path / "pron_counts.txt") == rows(MADE / "pron_counts.txt")
    for name in ("pron_counts.int", "pron_bigram_counts_nowb.txt"):
        assert sorted(rows(tmp_path / name)) == sorted(rows(MADE / name))


@pytest.mark.parametrize(
    ("expected", "arguments"),
    [
        ("max_normalized", COUNTS),
        ("not_normalized", ["--max-normalize=false", *COUNTS]),
        ("without_silence", COUNTS[:1]),
    ],
)
def test_dictionary(expected: str, arguments: list[str], tmp_path: Path) -> None:
    options, counts = [a for a in arguments if a.startswith("--")], [a for a in arguments if not a.startswith("--")]
    (tmp_path / "silprob.txt").write_text("of an earlier run")
    assert run(dict_dir_add_pronprobs, [*options, f"{MADE}/dict", *counts, str(tmp_path)]) == 0
    for file in (MADE / expected).iterdir():
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()
    assert (tmp_path / "silprob.txt").exists() == (expected != "without_silence")
    assert len(Dictionary.read(tmp_path).lexicon) == 10


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("3 oh OW\n2 oh OW_S\n", "the pronunciation OW_S of oh was counted, but is not in the dictionary"),
        ("three oh OW\n", "expected a count, a word and phones, not three oh OW"),
    ],
)
def test_counts_that_do_not_fit(content: str, said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "counts").write_text(content)
    assert run(dict_dir_add_pronprobs, [f"{MADE}/dict", f"{tmp_path}/counts", f"{tmp_path}/new"]) == 255
    assert said in capfd.readouterr().err
    assert not (tmp_path / "new").exists()
