"""Graphs that lead into one another while they are searched: as one graph of them all, and in circles."""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.graphs.grammar_fst import GrammarFst, prepared
from kaldi_bridge.graphs.nonterminals import BEGIN, END, REENTER, USER_DEFINED, Nonterminals
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.lattices.decoder import GrammarGraph, Graph, SearchOptions, decode
from kaldi_bridge.lattices.graph_files import open_graph
from kaldi_bridge.lattices.lattice import to_lattice
from kaldi_bridge.lattices.online_decoder import OnlineDecoder
from kaldi_bridge.lattices.paths import n_best_paths
from tests.helpers.tiny_model import tiny_model

BOS = 3  # the phones are 1 and 2, #nonterm_bos is 3
DIGIT, PAIR = BOS + USER_DEFINED, BOS + USER_DEFINED + 1
OPTIONS = SearchOptions(beam=100.0, lattice_beam=30.0)
Arcs = list[tuple[int, int, int, float, int]]


def label(kind: int, phone: int) -> int:
    """Of #nonterm_begin and so on, or one of the above."""
    return Nonterminals(BOS).label(BOS + kind if kind < BOS + USER_DEFINED else kind, phone)


def ways(state: int, kind: int, target: int, phones: tuple[int, ...] = (1, 2, BOS)) -> Arcs:
    """Into a graph or back into one, for each phone before; that one of them is taken costs nothing in the end."""
    return [(state, label(kind, phone), 0, float(np.log(len(phones))), target) for phone in phones]


def digit() -> Fst:
    """Word 5, in transition-id 1 and maybe 2, after any phone; its last phone is 1."""
    said = [(1, 1, 5, 0.5, 2), (2, 2, 0, 0.25, 2), (2, label(END, 1), 0, 0.125, 3)]
    return Fst.from_arcs(0, {3: 0.0}, [*ways(0, BEGIN, 1), *said])


def top(nonterminal: int = DIGIT) -> Fst:
    """A nonterminal, then word 6 in transition-ids 3 and 4, and all of it again."""
    arcs = [
        (0, label(nonterminal, BOS), 0, 0.75, 1), *ways(1, REENTER, 2, (1, 2)), (2, 3, 6, 0.1, 3), (3, 4, 0, 0.2, 3),
        (3, label(nonterminal, 2), 0, 0.3, 1),
    ]  # fmt: skip
    return Fst.from_arcs(0, {3: 1.0}, arcs)


def pair() -> Fst:
    """Word 7 in transition-id 3, then a digit."""
    said = [
        (1, 3, 7, 0.5, 2),
        (2, label(DIGIT, 2), 0, 0.5, 3),
        *ways(3, REENTER, 4, (1, 2)),
        (4, label(END, 1), 0, 0.0, 5),
    ]
    return Fst.from_arcs(0, {5: 0.5}, [*ways(0, BEGIN, 1), *said])


def grammar(whole: Fst, others: dict[int, Fst]) -> GrammarFst:
    return GrammarFst(BOS, prepared(whole, BOS), {n: prepared(fst, BOS) for n, fst in others.items()})


@pytest.fixture
def model(tmp_path: Path) -> TransitionModel:
    return tiny_model(tmp_path)


def word_costs(graph: Graph, log_likelihoods: np.ndarray) -> dict[tuple[int, ...], float]:
    """Words -> cost of the best path with them."""
    decoded = decode(graph, log_likelihoods, OPTIONS, 1.0)
    assert decoded is not None and decoded.reached_final
    found: dict[tuple[int, ...], float] = {}
    for path in n_best_paths(to_lattice(decoded.lattice), 1000):
        arcs = path.arcs.tolist()
        words = tuple(arc[1] for arc in arcs if arc[1])
        found[words] = min(sum(arc[2] + arc[3] for arc in arcs) + path.finals[-1].sum(), found.get(words, np.inf))
    return found


def likelihoods(frames: int) -> np.ndarray:
    return np.random.default_rng(frames).normal(size=(frames, 2)).astype(np.float32)


def test_as_one_graph(model: TransitionModel, tmp_path: Path) -> None:
    """The words that are possible, with their costs; through a file of Kaldi's form, and piece by piece too."""
    made = grammar(top(PAIR), {PAIR: pair(), DIGIT: digit()})
    with open_output(str(tmp_path / "grammar")) as stream:
        made.write(stream)
    graph, expected = open_graph(str(tmp_path / "grammar"), model), Graph(made.expanded(), model)
    for frames, sentences in ((5, 1), (12, 2)):
        costs, found = word_costs(expected, likelihoods(frames)), word_costs(graph, likelihoods(frames))
        assert found == pytest.approx(costs, abs=1e-4) and len(costs) >= sentences
        decoder = OnlineDecoder(graph, OPTIONS, 1.0)
        for row in likelihoods(frames):
            decoder.advance(row[np.newaxis])
        decoded = decoder.finish()
        assert decoded is not None and tuple(decoded.words) == min(costs, key=lambda words: costs[words])


def test_without_end(model: TransitionModel) -> None:
    """A graph that leads into itself after each word 5: any number of them, at the cost of a loop."""
    said = [(1, 1, 5, 0.5, 2), (2, label(END, 1), 0, 0.125, 3), (2, label(DIGIT, 1), 0, 0.75, 4)]
    back = [*ways(4, REENTER, 5, (1, 2)), (5, label(END, 1), 0, 0.0, 3)]
    itself = Fst.from_arcs(0, {3: 0.0}, [*ways(0, BEGIN, 1), *said, *back])
    costs = word_costs(GrammarGraph(grammar(top(), {DIGIT: itself}), model), np.zeros((6, 2), np.float32))
    for count in range(1, 6):  # the rest of the frames are those of word 6, or of another round
        words = (5,) * count + (6,)
        assert costs[words] == pytest.approx(
            0.75 + 0.5 * count + 0.75 * (count - 1) + 0.125 + 0.1 + 0.2 * (5 - count) + 1.0
        )


def test_a_graph_without_paths(model: TransitionModel) -> None:
    """What leads into it leads nowhere."""
    nothing = Fst(-1, np.zeros(0, np.float32), np.zeros(1, np.int64), digit().arcs[:0])
    whole = Fst.from_arcs(0, {2: 0.0}, [(0, label(DIGIT, BOS), 0, 0.0, 1), *ways(1, REENTER, 2), (0, 1, 8, 1.0, 2)])
    graph = GrammarGraph(GrammarFst(BOS, prepared(whole, BOS), {DIGIT: nothing}), model)
    assert word_costs(graph, np.zeros((1, 2), np.float32)) == {(8,): pytest.approx(1.0)}


def test_what_does_not_go_together(model: TransitionModel, tmp_path: Path) -> None:
    """Told when the graph is made where that is possible, else by the search that comes there."""
    rows = np.zeros((4, 2), np.float32)
    with pytest.raises(KaldiError, match="nonterminal 7 was requested, but there is no FST for it"):
        decode(GrammarGraph(grammar(top(), {}), model), rows, OPTIONS, 1.0)
    with pytest.raises(KaldiError, match="there is no FST for it"):
        OnlineDecoder(GrammarGraph(grammar(top(), {}), model), OPTIONS, 1.0)
    with pytest.raises(KaldiError, match="was the graph prepared by make-grammar-fst"):
        decode(GrammarGraph(GrammarFst(BOS, top(), {DIGIT: digit()}), model), rows, OPTIONS, 1.0)
    strange = digit()
    strange.arcs["ilabel"][strange.arcs["ilabel"] == 2] = 99
    with pytest.raises(KaldiError, match="the input label 99, which is no transition-id"):
        GrammarGraph(grammar(top(), {DIGIT: strange}), model)
    only_bos = Fst.from_arcs(0, {3: 0.0}, [*ways(0, BEGIN, 1, (1,)), (1, 1, 5, 0.0, 2), (2, label(END, 1), 0, 0.0, 3)])
    with pytest.raises(KaldiError, match="no way in, or back in, with phone 3"):
        decode(GrammarGraph(grammar(top(), {DIGIT: only_bos}), model), rows, OPTIONS, 1.0)
    empty = Fst.from_arcs(0, {2: 0.0}, [*ways(0, BEGIN, 1, (1, 2)), (1, label(END, 2), 0, 0.0, 2)])
    circle = Fst.from_arcs(
        0, {2: 0.0}, [(0, 3, 6, 0.0, 2), (2, label(DIGIT, 2), 0, 0.0, 1), *ways(1, REENTER, 2, (1, 2))]
    )
    with pytest.raises(KaldiError, match="nonterminals that may be empty"):
        GrammarGraph(grammar(circle, {DIGIT: empty}), model)
    left = [(1, label(DIGIT, 1), 0, 0.0, 2), *ways(2, REENTER, 3), (3, 1, 5, 0.0, 4), (4, label(END, 1), 0, 0.0, 5)]
    recursive = Fst.from_arcs(0, {5: 0.0}, [*ways(0, BEGIN, 1), *left])
    with pytest.raises(KaldiError, match="without end"):
        decode(GrammarGraph(grammar(top(), {DIGIT: recursive}), model), rows, OPTIONS, 1.0)


def test_a_truncated_file(model: TransitionModel, tmp_path: Path) -> None:
    with open_output(str(tmp_path / "grammar")) as stream:
        grammar(top(), {DIGIT: digit()}).write(stream)
    whole = (tmp_path / "grammar").read_bytes()
    for size in (2, 20, len(whole) // 2, len(whole) - 3):
        (tmp_path / "short").write_bytes(whole[:size])
        with pytest.raises(KaldiError, match="short"):
            open_graph(str(tmp_path / "short"), model)
