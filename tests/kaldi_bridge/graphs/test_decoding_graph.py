"""Decoding graphs: Kaldi's own, state by state, and the steps that lead there on small transducers."""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.epsilon_removal import remove_epsilons_local
from kaldi_bridge.fsts.fst import Fst, read_fst
from kaldi_bridge.fsts.weight_pushing import push_special
from kaldi_bridge.graphs.decoding_graph import context_graph, hmm_graph, without_words
from kaldi_bridge.graphs.self_loops import add_self_loops
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.hmm.tree import ContextDependency
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lang.lexicon_grammar import lexicon_and_grammar


@pytest.fixture(scope="module")
def lang(reference: Path) -> Lang:
    return Lang(reference / "fsdd/lang")


@pytest.fixture(scope="module")
def tree(reference: Path) -> ContextDependency:
    with open_input(str(reference / "fsdd/chain_tree/tree")) as stream:
        return ContextDependency.read(stream, read_header(stream))


@pytest.fixture(scope="module")
def model(reference: Path) -> TransitionModel:
    with open_input(str(reference / "fsdd/tdnnf_cmvn/final.mdl")) as stream:
        return TransitionModel.read(stream, read_header(stream))


def test_hclg_is_kaldis(reference: Path, lang: Lang, tree: ContextDependency, model: TransitionModel) -> None:
    """The same states and arcs in the same order, with the same costs to the last bit."""
    graph = lexicon_and_grammar(lang.lexicon_disambig, lang.grammar)
    graph, labels = context_graph(graph, tree, lang.disambig)
    graph, disambig = hmm_graph(graph, labels, tree, model, self_loop_scale=1.0)
    kaldis = read_fst(str(reference / "fsdd/graph/HCLG.fst"))
    assert graph.start == kaldis.start
    np.testing.assert_array_equal(graph.finals, kaldis.finals)
    np.testing.assert_array_equal(graph.offsets, kaldis.offsets)
    np.testing.assert_array_equal(graph.arcs, kaldis.arcs)
    assert disambig == [int(line) for line in (reference / "fsdd/graph/disambig_tid.int").read_text().split()]


def test_of_another_model(lang: Lang, tree: ContextDependency, model: TransitionModel) -> None:
    graph, labels = context_graph(lexicon_and_grammar(lang.lexicon_disambig, lang.grammar), tree, lang.disambig)
    wider = ContextDependency(3, 1, tree.to_pdf)
    with pytest.raises(KaldiError, match="a window of 2 phones for a tree that has windows of 3"):
        hmm_graph(graph, labels, wider, model)
    strange = [window if len(window) < 2 else [window[0], 9999] for window in labels]
    with pytest.raises(KaldiError, match="9999"):
        hmm_graph(graph, strange, tree, model)


def test_nothing_in_common(lang: Lang) -> None:
    other = Fst.from_arcs(0, {0: 0.0, 1: 0.0}, [(0, 999, 999, 0.0, 1)])
    other.finals[0] = np.inf
    with pytest.raises(KaldiError, match="no word of the grammar"):
        lexicon_and_grammar(lang.lexicon_disambig, other)


@pytest.mark.parametrize(
    ("arcs", "finals", "in_log", "expected"),
    [
        # An input label and the output label after it become one arc.
        ([(0, 1, 0, 0.5, 1), (1, 0, 2, 0.25, 2)], {2: 0.0}, True, ([(0, 1, 2, 0.75, 1)], {1: 0.0})),
        # A final state that an epsilon leads to.
        ([(0, 0, 0, 0.0, 1)], {0: 0.0, 1: 0.0}, True, ([], {0: 0.0})),
        # Two input labels stay two arcs.
        ([(0, 1, 0, 0.5, 1), (1, 2, 0, 0.25, 2)], {2: 0.0}, True, ([(0, 1, 0, 0.5, 1), (1, 2, 0, 0.25, 2)], {2: 0.0})),
        # Of two ways on, one is taken at once; what was moved leaves the other's probability in its place.
        (
            [(0, 1, 0, 0.0, 1), (1, 0, 2, 0.5, 2), (1, 3, 0, 1.5, 2)],
            {2: 0.0},
            True,
            (
                [(0, 1, 0, 1.5 + np.log(np.exp(-0.5) + np.exp(-1.5)), 1), (0, 1, 2, 0.5, 2), (1, 3, 0, None, 2)],
                {2: 0.0},
            ),
        ),
        (
            [(0, 1, 0, 0.0, 1), (1, 0, 2, 0.5, 2), (1, 3, 0, 1.5, 2)],
            {2: 0.0},
            False,
            ([(0, 1, 0, 1.0, 1), (0, 1, 2, 0.5, 2), (1, 3, 0, 0.5, 2)], {2: 0.0}),
        ),
    ],
)
def test_local_epsilon_removal(arcs: list, finals: dict, in_log: bool, expected: tuple[list, dict]) -> None:
    found = remove_epsilons_local(Fst.from_arcs(0, finals, arcs), in_log)
    wanted, wanted_finals = expected
    assert {s: float(c) for s, c in enumerate(found.finals) if np.isfinite(c)} == wanted_finals
    assert found.num_arcs == len(wanted)
    for source, arc, (s, ilabel, olabel, cost, target) in zip(found.sources, found.arcs, wanted, strict=True):
        assert (source, arc["ilabel"], arc["olabel"], arc["nextstate"]) == (s, ilabel, olabel, target)
        if cost is not None:
            assert arc["weight"] == pytest.approx(cost, abs=1e-6)
    if in_log and len(wanted) == 3:  # the path that was not shortened costs what it did
        assert found.arcs["weight"][0] + found.arcs["weight"][2] == pytest.approx(1.5, abs=1e-6)


def test_states_entered_in_different_ways_are_split_before_self_loops(model: TransitionModel) -> None:
    forward = [tid for tid in range(1, model.num_transition_ids + 1) if not model.is_self_loop[tid]]
    a, b = forward[0], next(t for t in forward if model.id_to_state[t] != model.id_to_state[forward[0]])
    graph = Fst.from_arcs(0, {1: 0.0}, [(0, a, 1, 0.0, 1), (0, b, 2, 0.0, 1), (0, 0, 3, 0.0, 1)])
    looped = add_self_loops(graph, model, 1.0)
    loops = [int(model.self_loop_of(int(model.id_to_state[t]))) for t in (a, b)]
    assert looped.num_states == 4
    assert looped.arcs["nextstate"].tolist() == [2, 3, 1, 1, 2, 1, 3]
    assert looped.arcs["ilabel"].tolist() == [a, b, 0, 0, loops[0], 0, loops[1]]
    leave, stay = looped.arcs["weight"][[3, 4]]
    assert np.exp(-leave) + np.exp(-stay) == pytest.approx(1.0, abs=1e-5)
    with pytest.raises(KaldiError, match="already has self-loops"):
        add_self_loops(looped, model)
    with pytest.raises(KaldiError, match="transition-ids"):
        add_self_loops(Fst.from_arcs(0, {1: 0.0}, [(0, 10**6, 0, 0.0, 1)]), model)


def test_pushing_makes_sums_alike() -> None:
    graph = Fst.from_arcs(0, {2: 0.3}, [(0, 1, 1, 1.0, 1), (0, 2, 2, 2.0, 2), (1, 3, 3, 0.1, 2), (1, 4, 4, 3.0, 1)])
    pushed = push_special(graph, 1e-4)
    sums = np.exp(-pushed.finals) + np.bincount(pushed.sources, np.exp(-pushed.arcs["weight"]), 3)
    assert np.log(sums.max() / sums.min()) < 1e-3
    before, after = graph.arcs["weight"], pushed.arcs["weight"]
    assert after[1] + pushed.finals[2] == pytest.approx(before[1] + graph.finals[2], abs=1e-5)


def test_paths_with_a_word_can_be_left_out() -> None:
    graph = Fst.from_arcs(0, {3: 0.0}, [(0, 1, 7, 0.0, 1), (0, 2, 8, 0.0, 2), (1, 3, 0, 0.0, 3), (2, 4, 0, 0.0, 3)])
    left = without_words(graph, [7])
    assert left.num_states == 3
    assert left.arcs["ilabel"].tolist() == [2, 4]
