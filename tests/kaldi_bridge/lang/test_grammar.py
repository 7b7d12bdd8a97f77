"""Grammars: of ARPA files with the probabilities that are written there, loops, and what no graph can be made of."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, read_fst
from kaldi_bridge.lang.arpa import compile_arpa
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lang.grammar import check_grammar, word_loop
from kaldi_bridge.lang.ngram_estimation import NgramModel, estimate
from kaldi_bridge.lang.symbol_table import SymbolTable

WORDS = ["one", "two", "three", "four"]
SENTENCES = ["one two", "one two three", "two one", "one", "three three one two", "two two", "one two one four"]


@pytest.fixture(scope="module")
def model() -> NgramModel:
    return estimate([sentence.split() for sentence in SENTENCES], 3)


@pytest.fixture
def symbols(tmp_path: Path) -> str:
    """Without "four"."""
    table = ["<eps>", *WORDS[:3], "#0", "<s>", "</s>"]
    (tmp_path / "words.txt").write_text("".join(f"{word} {number}\n" for number, word in enumerate(table)))
    return str(tmp_path / "words.txt")


@pytest.fixture
def arpa(model: NgramModel, tmp_path: Path) -> str:
    (tmp_path / "lm.arpa").write_text("\n".join(model.arpa_lines()) + "\n")
    return str(tmp_path / "lm.arpa")


def cost(grammar: Fst, words: list[int], backoff: int) -> float:
    """Of a sequence, taking backoff arcs only where there is no arc of the word, as the model itself does."""

    def arc(state: int, label: int) -> tuple[float, int] | None:
        found = [a for a in grammar.arcs_of(state).tolist() if a[0] == label]
        assert len(found) <= 1
        return (found[0][2], found[0][3]) if found else None

    state, total = grammar.start, 0.0
    for word in [*words, None]:
        while True:
            if word is None:
                step = (float(grammar.finals[state]), -1) if np.isfinite(grammar.finals[state]) else None
            else:
                step = arc(state, word)
            if step:
                break
            step = arc(state, backoff)
            assert step, "no way to back off"
            total, state = total + step[0], step[1]
        total, state = total + step[0], step[1]
    return total


def test_sums_are_one(model: NgramModel) -> None:
    vocabulary = [*WORDS, "</s>"]
    for history in itertools.product([*WORDS, "<s>"], repeat=2):
        assert sum(model.probability(word, history) for word in vocabulary) == pytest.approx(1.0)


def test_kneser_ney_by_hand() -> None:
    """Bigrams with the fallback discounts 0.5, 1 and 1.5, as there is no bigram that occurs three times."""
    model = estimate([["a", "b"], ["a", "b"], ["a"], ["b"]], 2)
    # Different words before: a after <s>; b after a, <s>; </s> after a, b. Of count 2 is discounted 1, of count 1 0.5.
    unigram_b = (2 - 1) / 5 + (0.5 + 1 + 1) / 5 / 3
    assert model.probability("b", []) == pytest.approx(unigram_b)
    assert model.probability("b", ["a"]) == pytest.approx((2 - 1) / 3 + (1 + 0.5) / 3 * unigram_b)


def test_words_without_text_have_a_share() -> None:
    model = estimate([["a", "b"], ["a"]], 2, vocabulary=["a", "b", "c"])
    assert 0 < model.probability("c", ["a"]) < model.probability("b", ["a"])
    assert sum(model.probability(w, ["a"]) for w in ("a", "b", "c", "</s>")) == pytest.approx(1.0)
    assert model.probability("d", ["a"]) == 0


@pytest.mark.parametrize(
    ("sentences", "order", "message"),
    [([], 2, "no sentences"), ([["a"]], 0, "n-grams of 0 words"), ([["a", "</s>"]], 2, "with <s> or </s> in it")],
)
def test_no_model(sentences: list, order: int, message: str) -> None:
    with pytest.raises(KaldiError, match=message):
        estimate(sentences, order)


def test_arpa_has_the_probabilities_of_the_model(model: NgramModel, arpa: str, symbols: str) -> None:
    grammar = compile_arpa(arpa, symbols, disambig_symbol="#0")
    table = SymbolTable.read(symbols)
    check_grammar(grammar, table)
    for length in range(4):
        for words in itertools.product(WORDS[:3], repeat=length):
            expected, history = 0.0, ["<s>"]
            for word in [*words, "</s>"]:
                expected -= math.log(model.probability(word, history))
                history.append(word)
            found = cost(grammar, [table.numbers[word] for word in words], table.numbers["#0"])
            assert found == pytest.approx(expected, abs=1e-4)


def test_words_that_are_not_in_the_table_are_reported(
    arpa: str, symbols: str, capfd: pytest.CaptureFixture[str]
) -> None:
    grammar = compile_arpa(arpa, symbols, disambig_symbol="#0")
    assert set(np.unique(grammar.arcs["ilabel"]).tolist()) <= {1, 2, 3, 4}
    assert "word 'four' not in symbol table" in capfd.readouterr().err


def test_piped_files(arpa: str, symbols: str) -> None:
    expected = compile_arpa(arpa, symbols, disambig_symbol="#0")
    np.testing.assert_array_equal(compile_arpa(f"cat {arpa} |", symbols, disambig_symbol="#0").arcs, expected.arcs)
    with pytest.raises(KaldiError, match="failed with status 3"):
        compile_arpa(f"cat {arpa}; exit 3 |", symbols, disambig_symbol="#0")


def test_symbol_tables_of_the_file_itself(arpa: str, tmp_path: Path) -> None:
    fst = compile_arpa(arpa, write_symbol_table=str(tmp_path / "syms"))
    table = SymbolTable.read(str(tmp_path / "syms"))
    assert {*WORDS, "<s>", "</s>"} <= set(table.numbers)
    with pytest.raises(KaldiError, match="<s> on an arc"):
        check_grammar(fst, table)


def test_files_that_are_no_arpa(symbols: str, tmp_path: Path) -> None:
    with pytest.raises(KaldiError, match=r"words.txt: .*data.* section missing"):
        compile_arpa(symbols, symbols, disambig_symbol="#0")
    with pytest.raises(KaldiError, match="nothing: No such file"):
        compile_arpa(symbols, str(tmp_path / "nothing"))
    with pytest.raises(KaldiError, match="nothing"):
        compile_arpa(str(tmp_path / "nothing"), symbols)


def test_the_loop_of_the_reference(reference: Path) -> None:
    lang = Lang(reference / "fsdd/lang")
    digits = [n for w, n in lang.words.numbers.items() if w.isalpha()]
    loop, kaldis = word_loop(digits, 1 / 6), read_fst(str(reference / "fsdd/lang/G.fst"))
    np.testing.assert_array_equal(
        loop.arcs[["ilabel", "olabel", "nextstate"]], kaldis.arcs[["ilabel", "olabel", "nextstate"]]
    )
    np.testing.assert_allclose(loop.arcs["weight"], kaldis.arcs["weight"], rtol=1e-6)
    np.testing.assert_allclose(loop.finals, kaldis.finals, rtol=1e-6)
    with pytest.raises(KaldiError, match="no loop of 0 words"):
        word_loop([], 0.5)


@pytest.mark.parametrize(
    ("arcs", "message"),
    [
        ([(0, 5, 0, 0.0, 1)], "<s> on an arc"),
        ([(0, 4, 4, 0.0, 1)], "disambiguation symbol among its words"),
        ([(0, 1, 2, 0.0, 1)], "different words on its two sides"),
        ([(0, 99, 99, 0.0, 1)], "a word 99"),
        ([(0, 4, 0, 0.0, 1), (1, 4, 0, 0.0, 0)], "cycle without any word"),
        ([(0, 0, 0, 0.0, 0), (0, 1, 1, 0.0, 1)], "cycle without any word"),
        ([(0, 3, 3, 0.0, 0), (0, 1, 1, 0.0, 1)], "cycle without any word"),
    ],
)
def test_grammars_that_no_graph_can_be_made_of(arcs: list, message: str, symbols: str) -> None:
    with pytest.raises(KaldiError, match=message):
        check_grammar(Fst.from_arcs(0, {1: 0.0}, arcs), SymbolTable.read(symbols), silent=[3])


def test_an_empty_grammar(symbols: str) -> None:
    empty = Fst(-1, np.zeros(0, np.float32), np.zeros(1, np.int64), word_loop([1], 0.5).arcs[:0])
    with pytest.raises(KaldiError, match="empty"):
        check_grammar(empty, SymbolTable.read(symbols))
