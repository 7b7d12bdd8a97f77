"""nnet-pytorch-compile-text-graphs: graphs of transcripts, out of those that models are decoded with."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.fsts.fst import FST, Fst
from kaldi_bridge.hmm.transition_model import TransitionModel, read_transition_model
from kaldi_bridge.tables import SequentialReader
from nnet3_compat.commands.recognition.compile_text_graphs import main
from tests.helpers.places import ROOT
from tests.helpers.vosk_models import DIGITS, TINY

LOOKAHEAD = ROOT / "tests/nnet3_compat/commands/nnet3bin/lookahead"


def compiled(graph: Path, model: Path, text: str, folder: Path, status: int = 0) -> dict[str, Fst]:
    (folder / "text").write_text(text)
    assert run(main, [str(graph), str(model), str(folder / "text"), f"ark:{folder}/graphs"]) == status
    return dict(SequentialReader(f"ark:{folder}/graphs", FST))


def paths(fst: Fst, model: TransitionModel) -> tuple[set[tuple[int, ...]], set[tuple[int, ...]]]:
    """What its paths without self-loops, and through no state thrice, say: sequences of words, and of phones."""
    words, phones = set(), set()
    waiting = [(fst.start, (), (), ())]
    while waiting:
        state, said, heard, before = waiting.pop()
        if before.count(state) == 2:
            continue
        if np.isfinite(fst.finals[state]):
            words.add(said)
            phones.add(heard)
        for ilabel, olabel, _, target in fst.arcs_of(state).tolist():
            if not ilabel or not model.is_self_loop[ilabel]:
                phone = model.phone_starts[ilabel]
                more = said + (olabel,) * bool(olabel), heard + (phone,) * bool(phone)
                waiting.append((target, *more, (*before, state)))
    return words, phones


def test_of_a_whole_graph(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    """All ways to say it, with silence or without; transcripts with unknown words are left out."""
    graphs = compiled(TINY / "graph", TINY / "model/final.mdl", "a one two\nb One, two!\nc one oh\nd\n", tmp_path)
    log = capfd.readouterr().err
    assert list(graphs) == ["a", "b"]
    assert "No graph of what utterance c says: the model's vocabulary has neither 'oh' nor" in log
    assert "No graph of what utterance d says: the transcript has no words" in log
    assert "succeeded for 2 graphs, failed for 2" in log
    model = read_transition_model(str(TINY / "model/final.mdl"))
    numbers, symbols = (
        {word: int(number) for word, number in map(str.split, (TINY / f"graph/{name}.txt").read_text().splitlines())}
        for name in ("words", "phones")
    )
    words, phones = paths(graphs["a"], model)
    assert words == {(numbers["one"], numbers["two"])}
    said = [symbols[phone] for word in ("one", "two") for phone in DIGITS[word].split()]
    assert {tuple(p for p in path if p != symbols["SIL"]) for path in phones} == {tuple(said)}


def test_a_word_for_unknown_ones_that_the_graph_does_not_say(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    """It is none: words.txt of a lang directory has one though nothing in the grammar does."""
    folder = tmp_path / "graph"
    shutil.copytree(TINY / "graph", folder)
    words = (folder / "words.txt").read_text()
    (folder / "words.txt").write_text(f"{words}<unk> {len(words.splitlines())}\n")
    assert list(compiled(folder, TINY / "model/final.mdl", "a one\nb one oh\n", tmp_path)) == ["a"]
    log = capfd.readouterr().err
    assert "No graph of what utterance b says: the model's vocabulary has neither 'oh' nor a word for unknown" in log
    assert "taken for an unknown word" not in log


def test_of_a_graph_without_grammar(reference: Path, tmp_path: Path) -> None:
    """HCLr.fst has its own numbers of words, and disambiguation symbols; its paths are those of HCLG.fst."""
    chain = reference / "fsdd/chain_tree/final.mdl"
    model = read_transition_model(str(chain))
    folder, kaldis = tmp_path / "graph", reference / "fsdd/graph"
    shutil.copytree(LOOKAHEAD, folder)
    shutil.copy(kaldis / "words.txt", folder)
    composed, whole = (compiled(graph, chain, "a one\n", tmp_path)["a"] for graph in (folder, kaldis))
    assert paths(composed, model)[1] == paths(whole, model)[1] and len(paths(whole, model)[1]) > 1


def test_bad_input(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    model = TINY / "model/final.mdl"
    assert compiled(TINY / "graph", model, "a oh\n", tmp_path, status=1) == {}
    for arguments, message in (
        (["nowhere", model, tmp_path / "text"], "nowhere has neither HCLG.fst nor both HCLr.fst and Gr.fst"),
        ([TINY / "graph", tmp_path / "text", tmp_path / "text"], "text"),
        ([TINY / "graph", model, tmp_path / "nothing"], "nothing"),
        (
            ["--unknown-word=oh", TINY / "graph", model, tmp_path / "text"],
            "the unknown word 'oh' is not in the model's",
        ),
    ):
        assert run(main, [*map(str, arguments), f"ark:{tmp_path}/other"]) == 255
        assert message in capfd.readouterr().err
        assert not (tmp_path / "other").exists()
