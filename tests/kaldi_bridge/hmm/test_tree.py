"""Trees as Kaldi wrote them, and the transition models made of them."""

import resource
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.hmm.tree import (
    PDF_CLASS,
    Constant,
    ContextDependency,
    PackedMap,
    Split,
    Table,
    answers,
    make_transition_model,
)
from kaldi_bridge.io.basic_io import read_header, write_header
from kaldi_bridge.io.streams import InputStream, open_input, open_output

TREES = ["tri1/tree", "chain_tree/tree", "tdnnf/tree"]


def read(path: Path, kind):
    with open_input(str(path)) as stream:
        return kind.read(stream, read_header(stream))


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("binary", [True, False])
def test_round_trip(reference: Path, tmp_path: Path, name: str, binary: bool) -> None:
    """Binary byte for byte; text to the same tree."""
    tree = read(reference / "fsdd" / name, ContextDependency)
    with open_output(f"{tmp_path}/tree") as stream:
        write_header(stream, binary)
        tree.write(stream, binary)
    if binary:
        assert (tmp_path / "tree").read_bytes() == (reference / "fsdd" / name).read_bytes()
    again = read(tmp_path / "tree", ContextDependency)
    assert (again.width, again.central, again.to_pdf) == (tree.width, tree.central, tree.to_pdf)
    packed = PackedMap.of(tree.to_pdf)  # as C++ reads the binary file
    np.testing.assert_array_equal(packed.nodes, tree.packed.nodes)
    np.testing.assert_array_equal(packed.values, tree.packed.values)


@pytest.mark.parametrize(
    "tree, topology, model",
    [
        ("chain_tree/tree", "lang/topo.chain", "tdnnf/0.trans_mdl"),
        ("chain_tree/tree", "lang/topo.chain", "chain_tree/final.mdl"),
        ("tri1/tree", "lang/topo", "tri1/final.mdl"),
    ],
)
def test_transition_models_are_kaldis(reference: Path, tree: str, topology: str, model: str) -> None:
    fsdd = reference / "fsdd"
    made = make_transition_model(read(fsdd / tree, ContextDependency), read(fsdd / topology, Topology))
    kaldis = read(fsdd / model, TransitionModel)
    np.testing.assert_array_equal(made.tuples, kaldis.tuples)
    np.testing.assert_array_equal(made.id_to_pdf, kaldis.id_to_pdf)
    if model.endswith("0.trans_mdl"):
        assert made.log_probs.shape == kaldis.log_probs.shape


def test_answers() -> None:
    tree = Split(0, frozenset({1}), Table(PDF_CLASS, (Constant(5), None, Constant(6))), Constant(7))
    assert answers(tree, {0: 1, PDF_CLASS: 2}) == {6}
    assert answers(tree, {0: 1, PDF_CLASS: 1}) == set()
    assert answers(tree, {PDF_CLASS: 0}) == {5, 7}
    assert answers(tree, {0: 2}) == {7}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_trees_are_errors(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("tree") / "tree"
    split = Split(0, frozenset({1, 2}), Table(PDF_CLASS, (Constant(5), None)), Constant(7))
    with open_output(str(path)) as stream:
        ContextDependency(3, 1, split).write(stream, True)
    raw = bytearray(path.read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))]
    try:
        ContextDependency.read(InputStream.from_bytes(bytes(raw), "tree"), True)
    except KaldiError as error:
        assert "tree" in str(error)


def test_tables_within_tables_take_little_memory() -> None:
    """A file of 6 kB says that it has 400 tables of ten million entries each."""
    table = b"TE \4\0\0\0\0\xfc" + (10_000_000).to_bytes(4, "little") + b"( "
    raw = b"ContextDependency \4\3\0\0\0\4\1\0\0\0ToPdf " + 400 * table
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 30), limits[1]))
    try:
        with pytest.raises(KaldiError, match="truncated, or a table of 10000000 entries"):
            ContextDependency.read(InputStream.from_bytes(raw, "tree"), True)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
