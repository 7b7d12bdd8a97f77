"""Grammars that are given while a program runs, and rescoring; Vosk's own results, of ``vosk.json``, judge both."""

from __future__ import annotations

import math
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, write_fst
from kaldi_bridge.lang.phrase_grammar import phrase_grammar
from nnet3_compat import Model, Recognizer
from nnet3_compat.recognition.grammar_files import read_grammar
from nnet3_compat.recognition.rescoring import find_rescoring
from tests.helpers.vosk_models import (
    samples_of,
    tiny_folder,
    with_lookahead,
    with_rescoring,
    with_rnnlm,
    without_dither,
)
from tests.nnet3_compat.recognition.test_recognizer import KEPT, NAMES, assert_as_vosk, hear

LOOKAHEAD = Path(__file__).parent.parent / "commands/nnet3bin/lookahead"
RNNLM = Path(__file__).parent.parent / "rnnlm/tiny"
PHRASES = ["three five two four", "seven six two six eleven", "six one"]


@pytest.fixture(scope="module")
def folder(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return without_dither(reference / "fsdd/vosk", tmp_path_factory.mktemp("vosk") / "model")


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return Model(with_lookahead(folder, LOOKAHEAD, folder.parent / "lookahead"))


@pytest.fixture(scope="module")
def waves(corpus: Path) -> list[np.ndarray]:
    return [samples_of(corpus / f"fsdd/test/wav/{name}.wav") for name in NAMES]


def test_composed_while_decoding(model: Model, waves: list[np.ndarray]) -> None:
    said = [hear(Recognizer(model, 8000, words=True), samples) for samples in waves]
    assert sum(assert_as_vosk(*both, 0.01, 0.01) for both in zip(said, KEPT["lookahead"], strict=True)) <= 1


def test_phrases(model: Model, waves: list[np.ndarray]) -> None:
    """One recognizer changes its grammar, and back; the others keep theirs."""
    recognizer, differing = Recognizer(model, 8000, words=True), 0
    for samples, expected in zip(waves, KEPT["grammar"], strict=True):
        assert recognizer.set_grammar(PHRASES) == ["eleven"]
        said = hear(recognizer, samples)
        assert assert_as_vosk(said[-1:], expected[-1:], recognizer.seconds, 0.01) == 0  # its times go on
        alone = Recognizer(model, 8000, words=True)
        alone.set_grammar(PHRASES)
        differing += assert_as_vosk(hear(alone, samples), expected, 0.01, 0.01)
    assert differing <= 1  # the time of a word, where alternatives weigh the same
    words = {word for phrase in PHRASES for word in phrase.split()}
    assert all(set(text.split()) <= words for text in (said[-1][1]["text"] for said in KEPT["grammar"]))
    assert recognizer.set_grammar([]) == []
    assert hear(recognizer, waves[0])[-1][1]["text"] == KEPT["lookahead"][0][-1][1]["text"]
    zero = model.find_word("zero")
    recognizer.set_grammar(Fst.from_arcs(0, {0: 0.0}, [(0, zero, zero, 0.0, 0)]))
    assert set(hear(recognizer, waves[0])[-1][1]["text"].split()) <= {"zero"}


def test_numbers_of_words_that_kaldi_changed(
    folder: Path, model: Model, waves: list[np.ndarray], tmp_path: Path
) -> None:
    """mkgraph_lookahead.sh leaves words.txt as it was."""
    for part in ("am", "conf", "ivector"):
        (tmp_path / part).symlink_to(folder / part)
    (tmp_path / "graph").mkdir()
    for file in LOOKAHEAD.iterdir():
        (tmp_path / "graph" / file.name).symlink_to(file)
    for name in ("words.txt", "phones"):
        (tmp_path / "graph" / name).symlink_to(folder / "graph" / name)
    kaldis = Recognizer(Model(tmp_path), 8000, words=True)
    kaldis.set_grammar(PHRASES)
    expected = Recognizer(model, 8000, words=True)
    expected.set_grammar(PHRASES)
    assert hear(kaldis, waves[0]) == hear(expected, waves[0])


def test_grammars_that_cannot_be(model: Model, waves: list[np.ndarray]) -> None:
    recognizer = Recognizer(model, 8000)
    with pytest.raises(KaldiError, match="phrases of words that are in the model's vocabulary"):
        recognizer.set_grammar(["eleven twelve", ""])
    recognizer.accept(waves[0][:8000])
    with pytest.raises(KaldiError, match="ask for the result first"):
        recognizer.set_grammar(["one"])
    recognizer.result()
    recognizer.set_grammar(["one"])


def test_costs_of_phrases() -> None:
    """Of "1 2", "1": after 1, 2 or the end in one of two times each; in all, 1 twice, 2 once, two ends."""
    grammar = phrase_grammar([[1, 2], [1]])
    costs = {
        (state, int(arc["ilabel"])): float(arc["weight"])
        for state in range(grammar.num_states)
        for arc in grammar.arcs[grammar.offsets[state] : grammar.offsets[state + 1]]
    }
    half = 0.5
    assert costs == pytest.approx(
        {
            (0, 1): -math.log(half * 2 / 5),
            (0, 2): -math.log(half * 1 / 5),
            (1, 0): math.log(2),
            (1, 2): -math.log(half / 2),
            (2, 0): math.log(2),
        }
    )
    assert grammar.finals == pytest.approx([-math.log(half * 2 / 5), -math.log(half / 2), -math.log(half)])


@pytest.fixture(scope="module")
def rescored(folder: Path, reference: Path) -> Path:
    arpa = Path(__file__).parent / "digits.arpa"
    return with_rescoring(folder, reference / "fsdd/lang/G.fst", arpa, folder.parent / "rescored")


def test_rescoring(rescored: Path, waves: list[np.ndarray]) -> None:
    """By G.fst and G.carpa, before alternatives are chosen."""
    model = Model(rescored)
    for samples, expected in zip(waves, KEPT["rescored"], strict=True):
        found = hear(Recognizer(model, 8000, words=True, max_alternatives=3), samples)
        assert assert_as_vosk(found, expected, 0.01, 0) == 0


def test_a_recurrent_model_on_top(rescored: Path, waves: list[np.ndarray], tmp_path: Path) -> None:
    """With random parameters, which change what is heard; in threads, as a server does it."""
    model = Model(with_rnnlm(rescored, RNNLM / "final.raw", Path(__file__).parent / "rnnlm", tmp_path / "model"))
    recognizers = [Recognizer(model, 8000, words=True, max_alternatives=3) for _ in waves]
    with ThreadPoolExecutor(len(waves)) as pool:
        said = list(pool.map(hear, recognizers, waves))
    assert sum(assert_as_vosk(*both, 0.01, 0) for both in zip(said, KEPT["rnnlm"], strict=True)) == 0
    assert said[0][-1][1]["alternatives"][0]["text"] != KEPT["rescored"][0][-1][1]["alternatives"][0]["text"]


@pytest.mark.parametrize("name", ["feat_embedding.final.mat", "word_feats.txt", "special_symbol_opts.conf"])
def test_a_recurrent_model_that_is_incomplete(name: str, rescored: Path, tmp_path: Path) -> None:
    folder = with_rnnlm(rescored, RNNLM / "final.raw", Path(__file__).parent / "rnnlm", tmp_path / "model")
    (folder / "rnnlm" / name).unlink()
    with pytest.raises(KaldiError, match=f"no such file .*rnnlm/{name}"):
        find_rescoring(folder)
    (folder / "rnnlm" / name).write_text("--bos-symbol=99 --eos-symbol=15\n")
    with pytest.raises(KaldiError):
        find_rescoring(folder)


def test_a_recurrent_model_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rnnlm").mkdir()
    (tmp_path / "rnnlm/final.raw").touch()
    assert find_rescoring(tmp_path) is None
    assert "rnnlm is not applied, as by Vosk, where there is no rescore/G.carpa" in capfd.readouterr().err


def test_rescoring_that_is_incomplete(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "model")
    (folder / "rescore").mkdir()
    (folder / "rescore/G.carpa").write_bytes(b"\0B")
    with pytest.raises(KaldiError, match=r"no such file .*rescore/G\.fst"):
        Model(folder)


PHRASE_FILE = "three five two four\nseven six two six eleven\n\nsix one\n"
JSGF = """#JSGF V1.0;
/* what may be said */
grammar digits;
<pair> = (three five | seven six) {tag};
public <all> = <pair> two [four] (six | eleven)*; // eleven is no word
public <end> = "six one" | /0.01/ zero;
"""
ARPA = """\\data\\
ngram 1=5
ngram 2=2

\\1-grams:
-1 </s>
-99 <s> -0.5
-0.5 two -0.3
-0.7 three
-0.7 eleven

\\2-grams:
-0.2 <s> two
-0.2 two three

\\end\\
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [(PHRASE_FILE, {"three", "five", "two", "four", "seven", "six", "one"}), (JSGF, set()), (ARPA, {"two", "three"})],
)
def test_grammars_in_files(
    text: str, said: set[str], model: Model, waves: list[np.ndarray], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "grammar").write_text(text)
    recognizer = Recognizer(model, 8000)
    recognizer.set_grammar(read_grammar(str(tmp_path / "grammar"), model.words))
    texts = [hear(recognizer, samples)[-1][1]["text"] for samples in waves]
    assert "eleven" in capfd.readouterr().err
    if said:
        assert all(set(heard.split()) <= said for heard in texts) and any(texts)
    for heard in texts if text == JSGF else ():
        assert re.fullmatch(r"((three five|seven six) two( four)?( six)*|six one|zero)?", heard)
    write_fst(str(tmp_path / "G.fst"), read_grammar(str(tmp_path / "grammar"), model.words))
    recognizer.set_grammar(read_grammar(str(tmp_path / "G.fst"), model.words))
    assert [hear(recognizer, samples)[-1][1]["text"] for samples in waves] == texts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#JSGF V1.0;\n<a> = b;\n", "needs a public rule"),
        ("#JSGF V1.0;\npublic <a> = b <c>;\n", "no rule <c>"),
        ("#JSGF V1.0;\npublic <a> = b <a>;\n", "leads back to itself"),
        ("#JSGF V1.0;\npublic <a> = (b;\n", r"expected \) in a grammar"),
        ("#JSGF V1.0;\npublic <a> = b", "ends within a rule"),
        ("#JSGF V1.0;\npublic <a> = one eleven;\n", "nothing .* can be said"),
        ("#JSGF V1.0;\nimport <x.y>;\npublic <a> = b;\n", "cannot import"),
        ("#JSGF V1.0;\npublic <a> = /0/ b;\n", "is not positive"),
        ("#JSGF V1.0;\npublic <a> = * b;\n", "has no place there"),
        ("#JSGF V1.0;\npublic <a> = < b;\n", "is not in JSGF"),
        ("\\data\\\nngram 1=x\n", "grammar"),
        ("eleven\ntwelve\n", "phrases of words that are in the model's vocabulary"),
        ("", "phrases of words"),
    ],
)
def test_grammar_files_that_are_none(text: str, message: str, model: Model, tmp_path: Path) -> None:
    (tmp_path / "grammar").write_text(text)
    with pytest.raises(KaldiError, match=message):
        read_grammar(str(tmp_path / "grammar"), model.words)
    write_fst(str(tmp_path / "G.fst"), Fst.from_arcs(0, {0: 0.0}, [(0, 99, 99, 0.0, 0)]))
    with pytest.raises(KaldiError, match="label 99, which is no word"):
        read_grammar(str(tmp_path / "G.fst"), model.words)
