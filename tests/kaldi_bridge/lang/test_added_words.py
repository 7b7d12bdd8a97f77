"""Words added to L.fst: the lexicon that has them from the beginning is the judge."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lang.added_words import AddedWord, with_words
from kaldi_bridge.lang.lexicon import Pronunciation
from kaldi_bridge.lang.lexicon_fst import (
    SilenceProbabilities,
    lexicon_fst,
    lexicon_fst_with_silence_probabilities,
)
from tests.kaldi_bridge.lang.test_lang_preparation import paths

PHONES = {"SIL": 1, "SPN": 2, "A": 3, "B": 4}
WORDS = {"<unk>": 1, "a": 2, "abba": 3, "b": 4}
AS_PROBABLE = ("0.3", "1.2", "0.9")  # silence after it, after silence, after a word
SMALL = [Pronunciation("<unk>", ("SPN",), "1.0", AS_PROBABLE), Pronunciation("a", ("A",), "0.5", ("0.1", "1.5", "0.7"))]
ADDED = [Pronunciation("abba", tuple("ABBA"), "1.0", AS_PROBABLE), Pronunciation("b", ("B",), "1.0", AS_PROBABLE)]
NUMBERED = [AddedWord(WORDS[entry.word], [PHONES[phone] for phone in entry.phones]) for entry in ADDED]


@pytest.mark.parametrize("silences", [False, True])
def test_as_if_they_had_always_been_there(silences: bool, tmp_path: Path) -> None:
    def made(lexicon: list[Pronunciation]):
        if silences:
            table = SilenceProbabilities(0.9, 2.0, 0.5)
            return lexicon_fst_with_silence_probabilities(lexicon, PHONES, WORDS, "SIL", table)
        return lexicon_fst(lexicon, PHONES, WORDS, "SIL")

    fst = with_words(made(SMALL), NUMBERED, WORDS["<unk>"], PHONES["SIL"])
    assert paths(fst, 8) == pytest.approx(paths(made(SMALL + ADDED), 8))
    for state in range(fst.num_states):
        assert (fst.arcs_of(state)["olabel"][:-1] <= fst.arcs_of(state)["olabel"][1:]).all()
    for like in (WORDS["abba"], 9):
        with pytest.raises(KaldiError, match=f"no word number {like} of a single phone"):
            with_words(made(SMALL + ADDED[:1]), NUMBERED, like, PHONES["SIL"])
