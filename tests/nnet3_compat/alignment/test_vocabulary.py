"""How words of a transcript are found, and spelled where a lexicon spells."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.lang.dictionary import Dictionary
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lang.preparation import LangOptions, LangPreparation
from kaldi_bridge.lang.symbol_table import SymbolTable
from nnet3_compat.alignment.pronunciations import ExtraPronunciations
from nnet3_compat.alignment.vocabulary import Vocabulary

WORDS = SymbolTable(
    dict(enumerate(["<eps>", "[unk]", "well", "US", "don't", "state", "of", "art", "'em", "#0", "<s>"]))
)


def test_forms_of_words() -> None:
    vocabulary = Vocabulary(WORDS, added=["Zoë", "well"])
    found = {word: vocabulary.find(word) for word in ("Well,", "us", "“Don't”", "'em", "—", "#0", "<s>", "zoë", "Zoë!")}
    assert found == {
        "Well,": (2,), "us": (3,), "“Don't”": (4,), "'em": (8,), "—": (), "#0": None, "<s>": None, "zoë": None,
        "Zoë!": (11,),
    }  # fmt: skip
    assert vocabulary.find("State-of-Art.") == (5, 6, 7) and vocabulary.find("state-owned") is None
    assert [word.numbers for word in vocabulary.spoken(["Well", "—", "xyz"])] == [(2,), (), (1,)]
    assert vocabulary.numbers_of(["Well", "—", "xyz", "State-of"]) == {1, 2, 5, 6}


def test_words_that_nothing_stands_for() -> None:
    bare = SymbolTable({0: "<eps>", 1: "a"})
    with pytest.raises(EntryError, match=r"has neither 'b' nor a word for unknown ones: give --unknown-word"):
        Vocabulary(bare).spoken(["a", "b"])
    with pytest.raises(EntryError, match="has no words"):
        Vocabulary(bare).spoken(["..."])
    with pytest.raises(KaldiError, match="'c' is not in the model's vocabulary"):
        Vocabulary(bare, "c")
    assert [word.numbers for word in Vocabulary(bare, "a").spoken(["b"])] == [(1,)]
    assert Vocabulary(bare).find("\udce9") is None  # a byte that is no UTF-8, and may be a letter


@pytest.mark.parametrize("positions", [True, False])
@pytest.mark.parametrize(("lexicon", "spells"), [("ab a b\nba b a\nc c\n", True), ("ab a b\nba b a\nc b\n", False)])
def test_spelling(lexicon: str, spells: bool, positions: bool, tmp_path: Path) -> None:
    """Two of three words that are said as they are spelled are too few."""
    folder = tmp_path / "dict"
    folder.mkdir()
    files = {
        "silence_phones.txt": "SIL\nSPN\n", "nonsilence_phones.txt": "a\nb\nc\n", "optional_silence.txt": "SIL\n",
        "extra_questions.txt": "", "lexicon.txt": "<unk> SPN\n" + lexicon,
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text)
    options = LangOptions(position_dependent_phones=positions)
    LangPreparation(Dictionary.read(folder), "<unk>", options).write(tmp_path / "lang")
    spelled = ExtraPronunciations(Lang(tmp_path / "lang")).spelled(["Cab", "cad"])
    cab = ("c_B", "a_I", "b_E") if positions else ("c", "a", "b")
    assert [(entry.word, entry.phones) for entry in spelled] == ([("Cab", cab)] if spells else [])
