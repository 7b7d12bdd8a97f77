"""Graphs whose language model changes while they are searched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, read_fst
from kaldi_bridge.lattices.decoder import Graph, SearchOptions, decode
from kaldi_bridge.lattices.rescored_graph import ModelChange
from tests.helpers.tiny_model import tiny_model
from tests.helpers.twins import twin

KALDIS = Path(__file__).parent.parent / "gmm/kaldis"


def test_costs_are_exchanged(tmp_path: Path) -> None:
    """Of two words that sound alike the one that the new model likes, at the new model's cost."""
    model = tiny_model(tmp_path)
    graph = Graph(Fst.from_arcs(0, {1: 0.0}, [(0, 1, 1, 0.5, 1), (0, 1, 2, 2.0, 1), (1, 2, 0, 0.25, 1)]), model)
    old = Fst.from_arcs(0, {0: 0.0}, [(0, 1, 1, 0.5, 0), (0, 2, 2, 2.0, 0)])
    new = Fst.from_arcs(0, {1: 0.125}, [(0, 0, 0, 1.0, 1), (0, 1, 1, 4.0, 1), (1, 2, 2, 0.75, 1)])
    likelihoods = np.zeros((3, 2), np.float32)
    change = ModelChange(old, new)
    for used, words, cost in ((graph, [1], 1.0), (change.of(graph), [2], 0.5 + 1.0 + 0.75 + 0.125)):
        decoded = decode(used, likelihoods, SearchOptions(), 1.0)
        assert decoded is not None and (decoded.words, decoded.cost[0]) == (words, cost)
    assert change.missing_word == 0


def test_models_that_do_not_fit(tmp_path: Path) -> None:
    model = tiny_model(tmp_path)
    graph = Graph(Fst.from_arcs(0, {1: 0.0}, [(0, 1, 1, 0.5, 1), (0, 1, 7, 2.0, 1), (1, 2, 0, 0.25, 1)]), model)
    one_word = Fst.from_arcs(0, {0: 0.0}, [(0, 1, 1, 0.5, 0)])
    change = ModelChange(one_word, one_word)
    decoded = decode(change.of(graph), np.zeros((3, 2), np.float32), SearchOptions(), 1.0)
    assert decoded is not None and decoded.words == [1] and change.missing_word == 7
    circle = Fst.from_arcs(0, {}, [(0, 0, 0, 0.5, 1), (1, 0, 0, 0.5, 0)])
    for other, message in ((circle, "in a circle"), (Fst.from_arcs(-1, {}, []), "no start state")):
        with pytest.raises(KaldiError, match=message):
            decode(ModelChange(one_word, other).of(graph), np.zeros((3, 2), np.float32), SearchOptions(), 1.0)


def test_a_missing_word_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(KALDIS)
    text = tmp_path / "lm.txt"
    text.write_text("0 0 1 1 0.5\n0 0 2 2 0.5\n0\n")
    assert run(twin("fstcompile"), [str(text), str(tmp_path / "lm.fst")]) == 0
    assert read_fst(str(tmp_path / "lm.fst")).num_arcs == 2
    arguments = f"model.mdl HCLG.fst old-lm.fst {tmp_path}/lm.fst ark:feats.ark ark:{tmp_path}/lat"
    assert run(twin("gmm-latgen-biglm-faster"), arguments.split()) == 0
    assert "lacks the word 3 of the graph" in capfd.readouterr().err
