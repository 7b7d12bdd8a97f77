"""A tree that is found in a graph is the one that the graph was made with, for all that it has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, read_fst
from kaldi_bridge.graphs.tree_of_graph import tree_of_graph
from kaldi_bridge.hmm.topology import HmmState, Topology
from kaldi_bridge.hmm.transition_model import TransitionModel, read_transition_model
from kaldi_bridge.hmm.tree import ContextDependency, answer, read_tree
from kaldi_bridge.lattices.graph_files import graph_of_all_words
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import INT32_VECTOR
from tests.helpers.places import ROOT

LOOKAHEAD = ROOT / "tests/nnet3_compat/commands/nnet3bin/lookahead"
CHAIN = [HmmState(0, 1, [(0, 0.5), (1, 0.5)]), HmmState()]


def spoken_pairs(reference: Path, model: TransitionModel) -> set[tuple[int, int]]:
    """Phones of recorded speech and those before them."""
    pairs = set()
    starts = np.array(model.phone_starts)
    with SequentialReader(f"ark:gunzip -c {reference}/fsdd/chain_tree/ali.*.gz |", INT32_VECTOR) as reader:
        for _, alignment in reader:
            phones = [0, *(phone for phone in starts[np.array(alignment)].tolist() if phone)]
            pairs |= set(zip(phones, phones[1:], strict=False))
    return pairs


@pytest.mark.parametrize("kind", ["HCLG", "HCLr"])
def test_it_is_kaldis_tree(reference: Path, kind: str) -> None:
    """Where Kaldi's programs made the graph; pairs of phones are those of its alignments."""
    folder = reference / "fsdd"
    model = read_transition_model(str(folder / "chain_tree/final.mdl"))
    fst, _ = graph_of_all_words(folder / "graph" if kind == "HCLG" else LOOKAHEAD)
    found, kaldis = tree_of_graph(fst, model), read_tree(str(folder / "chain_tree/tree"))
    assert (found.width, found.central, found.num_pdfs) == (kaldis.width, kaldis.central, kaldis.num_pdfs)
    pairs = spoken_pairs(reference, model)
    assert len(pairs) > 100
    for window in pairs:
        for pdf_class in (0, 1):
            assert answer(found.to_pdf, window, pdf_class) == answer(kaldis.to_pdf, window, pdf_class), window


def model_of(rows: list[tuple[int, int, int, int]]) -> TransitionModel:
    return TransitionModel(Topology([CHAIN], {1: 0, 2: 0, 3: 0}), np.array(rows, np.int32))


MODEL = model_of([(1, 0, 0, 1), (2, 0, 2, 3), (2, 0, 4, 5), (3, 0, 6, 6)])  # transition-ids 1 to 8, two of each


def pdfs(tree: ContextDependency, left: int, phone: int) -> tuple[int | None, int | None]:
    return answer(tree.to_pdf, (left, phone), 0), answer(tree.to_pdf, (left, phone), 1)


def forward(state: int) -> int:
    return next(i for i in MODEL.transition_ids(state) if not MODEL.is_self_loop[i])


def test_through_arcs_without_phones() -> None:
    """Phone 2 has other pdfs at the start than after 1 or itself; epsilons, disambiguation symbols and self-loops lie
    between. After 3 it never comes, so that it has the pdfs that it has after most others."""
    loop = next(i for i in MODEL.transition_ids(1) if MODEL.is_self_loop[i])
    arcs = [
        (0, forward(2), 7, 0.0, 5), (0, forward(1), 0, 0.0, 1), (1, loop, 0, 0.0, 1), (1, 0, 0, 0.0, 2),
        (2, 100, 0, 0.0, 3), (3, forward(3), 0, 0.0, 4), (3, 0, 8, 0.0, 4), (4, 0, 0, 0.0, 6),
        (2, forward(4), 0, 0.0, 5), (5, 0, 0, 0.0, 2),
    ]  # fmt: skip
    tree = tree_of_graph(Fst.from_arcs(0, {5: 0.0}, [(s, *a) for s, *a in arcs]), MODEL)
    assert pdfs(tree, 0, 2) == (2, 3)
    assert pdfs(tree, 1, 2) == pdfs(tree, 2, 2) == (4, 5)
    assert pdfs(tree, 3, 2) == (4, 5)
    assert pdfs(tree, 1, 3) == pdfs(tree, 0, 3) == (6, 6) and pdfs(tree, 3, 1) == (0, 1)


def test_what_cannot_be_found() -> None:
    both = Fst.from_arcs(0, {1: 0.0}, [(0, forward(2), 0, 0.0, 1), (0, forward(3), 0, 0.0, 1)])
    with pytest.raises(KaldiError, match="phone 2 has different pdfs after the same phone"):
        tree_of_graph(both, MODEL)
    states = [HmmState(0, 0, [(0, 0.5), (1, 0.5)]), HmmState(1, 1, [(1, 0.5), (2, 0.5)]), HmmState()]
    several = TransitionModel(Topology([states], {1: 0}), np.array([(1, 0, 0, 0), (1, 1, 1, 1)], np.int32))
    with pytest.raises(KaldiError, match="phones have several states"):
        tree_of_graph(both, several)


def test_the_tiny_model() -> None:
    """Of phones without context, made by our own programs."""
    model = read_transition_model(str(ROOT / "egs/tiny/model/final.mdl"))
    found = tree_of_graph(read_fst(str(ROOT / "egs/tiny/graph/HCLG.fst")), model)
    own = read_tree(str(ROOT / "egs/tiny/model/tree"))
    for phone in model.phones:
        assert answer(found.to_pdf, (0, phone), 0) == answer(own.to_pdf, (phone,), 0)
