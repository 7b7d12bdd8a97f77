"""Lang directories: what is read of Kaldi's own."""

from pathlib import Path

import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lang.directory import Lang


def test_kaldis_directory(reference: Path) -> None:
    lang = Lang(reference / "fsdd/lang")
    assert lang.phones[lang.optional_silence] == "SIL"
    assert lang.words[lang.oov] == (reference / "fsdd/lang/oov.txt").read_text().strip()
    assert lang.context_independent == lang.silence
    assert set(lang.topology.phones) == {*lang.silence, *lang.nonsilence} == {p for s in lang.phone_sets for p in s}
    assert lang.word_boundary.keys() == set(lang.topology.phones)
    assert [root.phones for root in lang.roots] == lang.phone_sets
    assert all(root.shared and root.split for root in lang.roots)
    assert lang.phones.symbols[lang.disambig[0]] == "#0"
    assert lang.word_numbers(["one", "and", "two"]) == [lang.words.numbers["one"], lang.oov, lang.words.numbers["two"]]
    assert lang.lexicon.num_states > 0
    assert lang.lexicon_disambig.num_arcs > lang.lexicon.num_arcs
    assert lang.grammar.num_states > 0
    assert all(set(question) <= set(lang.topology.phones) for question in lang.extra_questions)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("phones/roots.int", "shared splitted 1\n", "unexpected"),
        ("phones/roots.int", "shared split\n", "unexpected"),
        ("phones/word_boundary.int", "1 middle\n", "unexpected"),
        ("phones/silence.int", "1 x\n", "unexpected 'x'"),
        ("phones/silence.int", "", "empty file"),
        ("phones/optional_silence.int", "1 2\n", "expected one number, got 2"),
    ],
)
def test_malformed_files(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / "phones").mkdir()
    (tmp_path / name).write_text(text)
    lang = Lang(tmp_path)
    properties = {"roots": "roots", "word_boundary": "word_boundary", "silence": "silence"}
    attribute = properties.get(Path(name).stem, "optional_silence")
    with pytest.raises(KaldiError, match=message) as error:
        getattr(lang, attribute)
    assert str(tmp_path / name) in str(error.value)


def test_no_directory(tmp_path: Path) -> None:
    with pytest.raises(KaldiError, match="no such directory"):
        Lang(tmp_path / "nothing")
