"""Graph directories: a whole graph, one composed on demand, and what is missing."""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, write_fst
from kaldi_bridge.fsts.fst_header import FstHeader
from kaldi_bridge.fsts.symbols import symbols_for_inside
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lattices.decoder import Graph, SearchOptions, decode
from kaldi_bridge.lattices.graph_files import GraphDirectory
from tests.helpers.tiny_model import tiny_model

# A lexicon of two words, 7 of phone 1 (transition-ids 1 and 2) and 8 of phone 2 (3 and 4).
LEXICON = [(0, 1, 7, 0.5, 0), (0, 3, 8, 0.25, 0)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TransitionModel:
    return tiny_model(tmp_path_factory.mktemp("tiny"))


def words_of(graph: Graph, frames: list[list[float]]) -> list[int]:
    decoded = decode(graph, np.array(frames, np.float32), SearchOptions(), 1.0)
    assert decoded is not None
    return decoded.words


def test_a_whole_graph(tmp_path: Path, model: TransitionModel) -> None:
    write_fst(str(tmp_path / "HCLG.fst"), Fst.from_arcs(0, {1: 0.0}, [(0, 1, 7, 0.0, 1), (0, 3, 8, 0.0, 1)]))
    (tmp_path / "words.txt").write_text("<eps> 0\na 7\nb 8\n")
    opened = GraphDirectory(tmp_path, model)
    assert [opened.words[word] for word in words_of(opened.graph, [[0.0, 1.0]])] == ["b"]
    with pytest.raises(KaldiError, match="cannot be changed"):
        opened.with_grammar(Fst.from_arcs(0, {0: 0.0}, [(0, 7, 7, 0.0, 0)]))


def test_a_lexicon_and_a_grammar(tmp_path: Path, model: TransitionModel) -> None:
    write_fst(str(tmp_path / "HCLr.fst"), Fst.from_arcs(0, {0: 0.0}, LEXICON))
    write_fst(str(tmp_path / "Gr.fst"), Fst.from_arcs(0, {2: 0.0}, [(0, 7, 7, 1.0, 1), (1, 8, 8, 1.0, 2)]))
    opened = GraphDirectory(tmp_path, model)
    assert opened.is_composed
    assert words_of(opened.graph, [[0.0, 0.0]] * 2) == [7, 8]
    other = opened.with_grammar(Fst.from_arcs(0, {1: 0.0}, [(0, 8, 9, 0.0, 1), (1, 7, 9, 0.0, 1)]))
    assert words_of(other, [[0.0, 0.0]] * 2) == [9, 9]
    with pytest.raises(KaldiError, match=r"no words\.txt"):
        opened.words[7]


def test_words_inside_a_graph_that_share_numbers(tmp_path: Path, model: TransitionModel) -> None:
    """As OpenFst finds them: the last one of a number, but the first of those that count up from 0."""
    entries = [(b"<eps>", 0), (b"a", 1), (b"A", 1), (b"<s>", 8), (b"</s>", 8), (b"b", 7)]
    graph = Fst.from_arcs(0, {1: 0.0}, [(0, 1, 7, 0.0, 1), (0, 3, 8, 0.0, 1)])
    graph.header = FstHeader("vector", "standard", 2, 0, 3, 0, 2, 2, b"", symbols_for_inside(entries, "words.txt"))
    write_fst(str(tmp_path / "HCLG.fst"), graph)
    (tmp_path / "words.txt").write_text("<eps> 0\nother 7\n")
    assert GraphDirectory(tmp_path, model).words.symbols == {0: "<eps>", 1: "a", 7: "b", 8: "</s>"}


def test_what_is_missing_is_named(tmp_path: Path, model: TransitionModel) -> None:
    with pytest.raises(KaldiError, match=r"neither HCLG\.fst nor both HCLr\.fst and Gr\.fst"):
        GraphDirectory(tmp_path, model)
