"""Graphs that are composed while they are searched give what the whole graph gives, whatever is kept of them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.labels import without_labels
from kaldi_bridge.fsts.lookahead import LookaheadFst, with_new_labels
from kaldi_bridge.fsts.openfst import OpenFst
from kaldi_bridge.fsts.rational import arc_sorted
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lattices.decoder import ComposedGraph, Graph, SearchLexicon, SearchOptions, decode
from kaldi_bridge.lattices.lattice import to_lattice
from kaldi_bridge.lattices.online_decoder import OnlineDecoder
from kaldi_bridge.lattices.paths import n_best_paths
from tests.helpers.tiny_model import tiny_model

DISAMBIG, BACKOFF = 9, 5  # a label of the lexicon that is as good as none, and the grammar's that goes with it
ALL = SearchOptions(beam=1000.0, lattice_beam=1000.0, max_active=100_000, determinize_lattice=True)
COSTS = st.integers(0, 24).map(lambda n: n / 8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TransitionModel:
    return tiny_model(tmp_path_factory.mktemp("tiny"))


@st.composite
def lexicons(draw: st.DrawFn) -> Fst:
    """Words of one to three letters, said at their end or on the way; what stands for the backoff is on a loop."""
    arcs, states = [(0, DISAMBIG, BACKOFF, 0.0, 0)], 1
    for word in range(1, 5):
        for _ in range(draw(st.integers(1, 2))):
            letters = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
            said = draw(st.integers(0, len(letters) - 1))
            state = 0
            for place, letter in enumerate(letters):
                target = 0 if place == len(letters) - 1 else states
                states += target != 0
                arcs.append((state, letter, word if place == said else 0, draw(COSTS), target))
                state = target
    if draw(st.booleans()):
        arcs += [(0, 0, 0, draw(COSTS), states), (states, draw(st.integers(1, 4)), 0, 0.5, states)]
        return Fst.from_arcs(0, {0: draw(COSTS), states: 0.0}, arcs)
    return Fst.from_arcs(0, {0: draw(COSTS)}, arcs)


@st.composite
def grammars(draw: st.DrawFn) -> Fst:
    """Of words in pairs, with backoff; some arcs without label, and other words written than are said."""
    count = draw(st.integers(1, 4))
    labels = st.sampled_from([1, 2, 3, 4, 7])
    arcs = [
        (source, label, draw(st.sampled_from([label, 0, 6])), draw(COSTS), draw(st.integers(0, count)))
        for source in range(count + 1)
        for label in sorted(draw(st.sets(labels, max_size=4)))
    ]
    for source in range(1, count + 1):
        if draw(st.booleans()):
            arcs.append((source, draw(st.sampled_from([BACKOFF, 0])), 0, draw(COSTS), draw(st.integers(0, source - 1))))
    ends = draw(st.sets(st.integers(0, count), min_size=1))
    return arc_sorted(Fst.from_arcs(0, {state: draw(COSTS) for state in ends}, arcs))


def word_costs(graph: Graph, matrix: np.ndarray) -> dict[tuple[int, ...], float]:
    decoded = decode(graph, matrix, ALL, 1.0)
    if decoded is None or not decoded.reached_final:
        return {}
    found: dict[tuple[int, ...], float] = {}
    for path in n_best_paths(to_lattice(decoded.lattice), 1000):
        cost = float(sum(arc[2] + arc[3] for arc in path.arcs.tolist()) + path.finals[-1].sum())
        words = tuple(arc[1] for arc in path.arcs.tolist() if arc[1])
        found[words] = min(cost, found.get(words, np.inf))
    return found


@settings(max_examples=60, deadline=None)
@given(lexicons(), grammars(), st.integers(1, 5), st.integers(0, 2**32 - 1), st.booleans())
def test_as_the_whole_graph(
    model: TransitionModel, lexicon: Fst, grammar: Fst, frames: int, seed: int, renumbered: bool
) -> None:
    """All words and their costs, to 1e-3, whether what is unfolded is thrown away at each frame or kept."""
    matrix = np.random.default_rng(seed).normal(0.0, 2.0, (frames, 2)).astype(np.float32)
    by_word = arc_sorted(lexicon, "olabel")
    composed = OpenFst.of(by_word).composed(OpenFst.of(grammar)).fst()
    whole = word_costs(Graph(without_labels(composed, [DISAMBIG]), model), matrix) if composed.num_states else {}
    ahead = LookaheadFst.of(by_word)
    if renumbered:
        ahead, pairs = with_new_labels(by_word, "olabel")
        new = dict(pairs)
        arcs = grammar.arcs.copy()
        arcs["ilabel"] = [new.get(label, label) for label in arcs["ilabel"].tolist()]
        grammar = arc_sorted(grammar.changed(arcs=arcs))
    searched = SearchLexicon(ahead, model, [DISAMBIG])
    for kept_arcs in (0, 1 << 20):
        graph = ComposedGraph(searched, grammar, kept_arcs=kept_arcs)
        for _ in range(2):
            assert word_costs(graph, matrix) == pytest.approx(whole, abs=1e-3)


def test_threads_share_a_graph_and_pieces_may_come_one_by_one(model: TransitionModel) -> None:
    arcs = [(0, 1 + i % 4, 0, 0.1, 1 + i) for i in range(40)]
    arcs += [(1 + i, 1 + (i * 7) % 4, 1 + i, 0.1, 0) for i in range(40)]
    lexicon = LookaheadFst.of(arc_sorted(Fst.from_arcs(0, {0: 0.0}, arcs), "olabel"))
    words = [(s, 1 + w, 1 + w, 0.5 + (w * s) % 3, 1 + w % 3) for s in range(4) for w in range(40)]
    grammar = arc_sorted(Fst.from_arcs(0, {s: 1.0 for s in range(4)}, words))
    graph = ComposedGraph(SearchLexicon(lexicon, model, []), grammar)
    matrix = np.random.default_rng(0).normal(0.0, 2.0, (40, 2)).astype(np.float32)
    options = SearchOptions(beam=5.0, lattice_beam=2.0)

    def best(_: int) -> list[int]:
        decoded = decode(graph, matrix, options, 1.0)
        assert decoded is not None
        return decoded.words

    first = best(0)
    assert len(first) == 20
    with ThreadPoolExecutor(4) as pool:
        assert all(words == first for words in pool.map(best, range(40)))
    decoder = OnlineDecoder(graph, options, 1.0)
    for start in range(0, 40, 7):
        decoder.advance(matrix[start : start + 7])
        assert len(decoder.best_steps()) == min(start + 7, 40)
    decoded = decoder.finish()
    assert decoded is not None and decoded.words == first


def test_what_does_not_fit_is_told(model: TransitionModel, tmp_path: Path) -> None:
    lexicon = Fst.from_arcs(0, {0: 0.0}, [(0, 1, 7, 0.0, 0), (0, DISAMBIG, 8, 0.0, 0)])
    with pytest.raises(KaldiError, match=r"HCL: .*input label 9, which is no transition-id"):
        SearchLexicon(LookaheadFst.of(lexicon), model, [], "HCL")
    searched = SearchLexicon(LookaheadFst.of(lexicon), model, [DISAMBIG], "HCL")
    with pytest.raises(KaldiError, match=r"G with HCL: .*cycle of arcs without input labels"):
        ComposedGraph(searched, Fst.from_arcs(0, {0: 0.0}, [(0, 8, 0, 0.0, 0)]), "G")
    silent = Fst.from_arcs(0, {0: 0.0}, [(0, 0, 0, 0.0, 1), (1, DISAMBIG, 0, 0.0, 0)])
    with pytest.raises(KaldiError, match="cycle of arcs without input labels"):
        SearchLexicon(LookaheadFst.of(silent), model, [DISAMBIG])
    nothing = ComposedGraph(searched, Fst.from_arcs(0, {}, [(0, 3, 3, 0.0, 0)]))
    assert decode(nothing, np.zeros((2, 2), np.float32), ALL, 1.0) is None
