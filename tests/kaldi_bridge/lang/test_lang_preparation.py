"""Lang directories of dictionaries: Kaldi's, and what is said of dictionaries that are not right."""

import math
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, read_fst
from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.hmm.topology_making import chain_topology, hmm_topology
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.lang.dictionary import Dictionary
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lang.lexicon import Pronunciation, with_disambiguation
from kaldi_bridge.lang.preparation import LangOptions, LangPreparation


def paths(fst: Fst, ends: int = 6) -> dict[tuple[tuple[int, ...], tuple[int, ...]], float]:
    """(phones, words) of all paths of up to ``ends`` arcs, with the sums of their probabilities."""
    found: dict[tuple[tuple[int, ...], tuple[int, ...]], float] = {}
    waiting = [(fst.start, (), (), 0.0, 0)]
    while waiting:
        state, phones, words, cost, length = waiting.pop()
        if np.isfinite(fst.finals[state]):
            key = (phones, words)
            found[key] = found.get(key, 0.0) + math.exp(-cost - float(fst.finals[state]))
        if length < ends:
            for ilabel, olabel, weight, target in fst.arcs_of(state).tolist():
                more_phones, more_words = phones + (ilabel,) * (ilabel > 0), words + (olabel,) * (olabel > 0)
                waiting.append((target, more_phones, more_words, cost + weight, length + 1))
    return found


@pytest.fixture
def dictionary(tmp_path: Path) -> Path:
    """Two words that sound alike, one of which is the beginning of a third; two variants of a phone."""
    folder = tmp_path / "dict"
    folder.mkdir()
    files = {
        "silence_phones.txt": "SIL\nSPN\n",
        "nonsilence_phones.txt": "A0 A1\nB\n",
        "optional_silence.txt": "SIL\n",
        "extra_questions.txt": "A1\n",
        "lexicon.txt": "<unk> SPN\na A0\nah A0\nab A0 B\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def prepared(dictionary: Path, lang: Path, **options: object) -> Lang:
    LangPreparation(Dictionary.read(dictionary), "<unk>", LangOptions(**options)).write(lang)
    return Lang(lang)


def test_kaldis_directory(reference: Path, tmp_path: Path) -> None:
    """Every text file to the byte, every FST arc by arc."""
    made = LangPreparation(Dictionary.read(reference / "fsdd/dict"), "<UNK>", LangOptions())
    made.write(tmp_path)
    kaldis = reference / "fsdd/lang"
    files = {str(p.relative_to(kaldis)) for p in kaldis.rglob("*") if p.is_file()} - {"G.fst", "topo.chain"}
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()} == files
    for name in sorted(files):
        if not name.endswith(".fst"):
            assert (tmp_path / name).read_bytes() == (kaldis / name).read_bytes(), name
    for name in ("L.fst", "L_disambig.fst"):
        ours, theirs = read_fst(str(tmp_path / name)), read_fst(str(kaldis / name))
        np.testing.assert_array_equal(ours.arcs, theirs.arcs)
        np.testing.assert_array_equal(ours.offsets, theirs.offsets)
        np.testing.assert_array_equal(ours.finals, theirs.finals)


def test_chain_topology(reference: Path) -> None:
    lang = Lang(reference / "fsdd/lang")
    text = chain_topology([*lang.silence, *lang.nonsilence])
    assert text == (reference / "fsdd/lang/topo.chain").read_text()


@pytest.mark.parametrize(("nonsilence_states", "silence_states"), [(3, 5), (1, 1), (4, 3), (2, 4)])
def test_topologies_can_be_read(tmp_path: Path, nonsilence_states: int, silence_states: int) -> None:
    (tmp_path / "topo").write_text(hmm_topology([3, 4], [1, 2], nonsilence_states, silence_states))
    with open_input(str(tmp_path / "topo")) as stream:
        topology = Topology.read(stream, read_header(stream))
    assert [topology.num_pdf_classes(p) for p in (1, 3)] == [silence_states, nonsilence_states]


def test_topologies_that_make_no_sense() -> None:
    for states in ((0, 5), (3, 2), (101, 5)):
        with pytest.raises(KaldiError, match="states"):
            hmm_topology([2], [1], *states)


def test_disambiguation_symbols() -> None:
    entries = [Pronunciation(w, tuple(p.split())) for w, p in [("a", "A"), ("ab", "A B"), ("b", "B"), ("eh", "A")]]
    found, used = with_disambiguation(entries)
    assert [e.phones for e in found] == [("A", "#1"), ("A", "B"), ("B",), ("A", "#2")]
    assert used == 2


def test_without_positions(dictionary: Path, tmp_path: Path) -> None:
    (dictionary / "word_boundary.txt").write_text("SIL nonword\nB internal\n")
    lang = prepared(dictionary, tmp_path / "lang", position_dependent_phones=False, share_silence_phones=True)
    read = lambda name: (tmp_path / "lang/phones" / name).read_text()  # noqa: E731
    assert read("sets.txt") == "SIL SPN\nA0 A1\nB\n"
    assert read("roots.txt") == "not-shared not-split SIL SPN\nshared split A0 A1\nshared split B\n"
    assert read("extra_questions.txt") == "A1\n"
    assert read("word_boundary.int") == "1 nonword\n5 internal\n"
    assert lang.disambig == [6, 7, 8, 9]
    assert read("align_lexicon.txt").splitlines()[0] == "<eps> <eps> SIL"


def test_optional_silence_has_its_probability(dictionary: Path, tmp_path: Path) -> None:
    lang = prepared(dictionary, tmp_path / "lang", position_dependent_phones=False, sil_prob=0.25)
    found = paths(lang.lexicon, 3)
    a, silence = lang.phones.numbers["A0"], lang.phones.numbers["SIL"]
    for word in ("a", "ah"):
        number = (lang.words.numbers[word],)
        assert found[(a,), number] == pytest.approx(0.75 * 0.75)
        assert found[(a, silence), number] == pytest.approx(0.75 * 0.25)
        assert found[(silence, a), number] == pytest.approx(0.25 * 0.75)


def test_no_silence(dictionary: Path, tmp_path: Path) -> None:
    lang = prepared(dictionary, tmp_path / "lang", position_dependent_phones=False, sil_prob=0.0)
    silence = lang.phones.numbers["SIL"]
    found = paths(lang.lexicon, 2)
    assert found and not any(silence in phones for phones, _ in found)


def test_pronunciation_and_silence_probabilities(dictionary: Path, tmp_path: Path) -> None:
    (dictionary / "lexicon.txt").unlink()
    lines = "<unk> 1.0 0.5 1.0 1.0 SPN\nab 0.5 0.2 1.5 0.8 A0 B\n"
    (dictionary / "lexiconp_silprob.txt").write_text(lines)
    (dictionary / "silprob.txt").write_text("<s> 0.9\n</s>_s 2.0\n</s>_n 0.5\noverall 0.2\n")
    lang = prepared(dictionary, tmp_path / "lang", position_dependent_phones=False)
    numbers = lang.phones.numbers
    said, silence, word = (numbers["A0"], numbers["B"]), numbers["SIL"], (lang.words.numbers["ab"],)
    found = paths(lang.lexicon, 5)
    assert found[(silence, *said), word] == pytest.approx(0.9 * 1.5 * 0.5 * 0.8 * 0.5)
    assert found[(*said, silence), word] == pytest.approx(0.1 * 0.8 * 0.5 * 0.2 * 2.0)
    assert set(numbers.values()) >= set(np.unique(lang.lexicon_disambig.arcs["ilabel"]).tolist())


def test_numbers_of_another_system(dictionary: Path, tmp_path: Path) -> None:
    """Phones keep the numbers that they have there, also with a larger phone set."""
    table = tmp_path / "phones.txt"
    symbols = ["<eps>", "B", "X", "A1", "A0", "SPN", "SIL", "#0"]
    table.write_text("".join(f"{symbol} {number}\n" for number, symbol in enumerate(symbols)))
    lang = prepared(dictionary, tmp_path / "lang", position_dependent_phones=False, phone_symbol_table=str(table))
    assert lang.phones.numbers == {
        "<eps>": 0,
        "B": 1,
        "A1": 3,
        "A0": 4,
        "SPN": 5,
        "SIL": 6,
        "#0": 7,
        "#1": 8,
        "#2": 9,
        "#3": 10,
    }
    with pytest.raises(KaldiError, match="SIL_B is not in"):
        prepared(dictionary, tmp_path / "lang", phone_symbol_table=str(table))


def test_more_disambiguation_symbols(dictionary: Path, tmp_path: Path) -> None:
    (tmp_path / "extra").write_text("#class\n#end\n")
    lang = prepared(dictionary, tmp_path / "lang", extra_word_disambig_syms=str(tmp_path / "extra"))
    words, phones = lang.words.numbers, lang.phones.numbers
    loops = lang.lexicon_disambig.arcs[lang.lexicon_disambig.sources == lang.lexicon_disambig.arcs["nextstate"]]
    for symbol in ("#0", "#class", "#end"):
        assert (phones[symbol], words[symbol]) in list(zip(loops["ilabel"], loops["olabel"], strict=True))
    (tmp_path / "extra").write_text("#7\n")
    with pytest.raises(KaldiError, match="#7"):
        prepared(dictionary, tmp_path / "lang", extra_word_disambig_syms=str(tmp_path / "extra"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("lexicon.txt", "<unk> SPN\na A0\na A0\n", "'a A0' is there twice"),
        ("lexicon.txt", "a\n", "has no phones"),
        ("lexicon.txt", "a C\n", "phone C of word a"),
        ("lexicon.txt", "</s> A0\n", "cannot be a word"),
        ("lexicon.txt", "a A0\n", "<unk>.* is not in it itself"),
        ("lexicon.txt", "", "empty file"),
        ("lexiconp.txt", "a 1.5 A0\n", "'1.5' is no probability"),
        ("lexiconp.txt", "a 1.0 A0\n", "not the same words"),
        ("silence_phones.txt", "SIL\nSPN\nB\n", "B is a silence phone and a nonsilence phone"),
        ("silence_phones.txt", "SIL SIL\nSPN\n", "SIL is there twice"),
        ("silence_phones.txt", "SIL_B\nSIL\n", "SIL_B cannot be a phone"),
        ("optional_silence.txt", "B\n", "expected one phone of silence_phones.txt"),
        ("extra_questions.txt", "C\n", "C is neither"),
        ("extra_questions.txt", "A0 A1\n", "A0 and A1 share a tree root"),
        ("nonterminals.txt", "#nonterm:x\n", "not possible here"),
    ],
)
def test_bad_dictionaries(dictionary: Path, tmp_path: Path, name: str, text: str, message: str) -> None:
    (dictionary / name).write_text(text)
    with pytest.raises(KaldiError, match=message):
        prepared(dictionary, tmp_path / "lang")


def test_options_that_make_no_sense(dictionary: Path, tmp_path: Path) -> None:
    for options in ({"sil_prob": 1.0}, {"num_extra_phone_disambig_syms": 0}):
        with pytest.raises(KaldiError, match="must be|at least"):
            prepared(dictionary, tmp_path / "lang", **options)
