"""FSTs of every type that Kaldi's recipes have: byte for byte back, by the book, and never trusted."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts.acceptors import INFINITY, Acceptor
from kaldi_bridge.fsts.fst import FST, Fst, read_fst
from kaldi_bridge.io.streams import InputStream, open_input, open_output
from kaldi_bridge.tables import SequentialReader, TableWriter


def written(fst: Fst, folder: Path, fst_type: str | None = None) -> bytes:
    with open_output(f"{folder}/written.fst") as stream:
        fst.write(stream, fst_type)
    return (folder / "written.fst").read_bytes()


def same(left: Fst, right: Fst) -> bool:
    return (
        left.start == right.start
        and np.array_equal(left.finals, right.finals)
        and np.array_equal(left.offsets, right.offsets)
        and np.array_equal(left.arcs, right.arcs)
    )


@pytest.fixture
def small() -> Fst:
    """Words 7 and 8 after a silence, with an epsilon arc and two final states."""
    arcs = [(0, 1, 7, 0.5, 1), (0, 2, 8, 1.5, 2), (1, 0, 0, 0.25, 2), (2, 3, 0, 0.0, 2)]
    return Fst.from_arcs(0, {1: 2.0, 2: 0.0}, arcs)


def test_reference_files_round_trip(reference: Path, tmp_path: Path) -> None:
    paths = sorted(reference.rglob("*.fst"))
    assert len(paths) >= 14
    for path in paths:
        assert written(read_fst(str(path)), tmp_path) == path.read_bytes(), path


@pytest.mark.parametrize("name", ["fsdd/tdnnf/den.fst", "lfmmi/normalization.fst", "fsdd/lang/L_disambig.fst"])
def test_as_openfst_sees_them(reference: Path, name: str) -> None:
    """State by state; of the vector type, as kaldifst has no other that kaldi_hmm_gmm takes as well."""
    import kaldifst

    theirs, ours = kaldifst.StdVectorFst.read(str(reference / name)), read_fst(str(reference / name))
    states = list(kaldifst.StateIterator(theirs))
    assert (ours.num_states, ours.start) == (len(states), theirs.start)
    for state in states:
        arcs = [(a.ilabel, a.olabel, a.weight.value, a.nextstate) for a in kaldifst.ArcIterator(theirs, state)]
        assert ours.arcs_of(state).tolist() == arcs
        final = theirs.final(state).value
        assert ours.finals[state] == np.float32(final)


@pytest.mark.parametrize("fst_type", ["vector", "const"])
def test_types_convert_into_each_other(small: Fst, tmp_path: Path, fst_type: str) -> None:
    written(small, tmp_path, fst_type)
    again = read_fst(f"{tmp_path}/written.fst")
    assert same(small, again)
    assert again.header is not None
    assert again.header.fst_type == fst_type


def test_text(small: Fst, tmp_path: Path) -> None:
    with open_output(f"{tmp_path}/text") as stream:
        small.write_text(stream)
    lines = (tmp_path / "text").read_text().splitlines()
    assert lines[0].split() == ["0", "1", "1", "7", "0.5"]
    with open_input(f"{tmp_path}/text") as stream:
        again = Fst.read_text(stream)
    assert same(small, again)


def compact_acceptor(states: list[list[tuple[int, float, int]]]) -> bytes:
    """A file of OpenFst's compact_acceptor: elements (label, weight, next state), label -1 for the final cost."""
    elements = b"".join(struct.pack("<ifi", *e) for arcs in states for e in arcs)
    counts = [len(arcs) for arcs in states]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype("<u4").tobytes()

    def text(word: str) -> bytes:
        return struct.pack("<i", len(word)) + word.encode()

    num_arcs = sum(counts) - 1
    head = struct.pack("<i", 2125659606) + text("compact_acceptor") + text("standard")
    head += struct.pack("<iiqqqq", 2, 0, 0x3, 0, len(states), num_arcs)
    return head + offsets + elements


def test_compact_acceptor(tmp_path: Path) -> None:
    data = compact_acceptor([[(1, 0.5, 1), (2, 1.5, 1)], [(-1, 0.25, -1)]])
    (tmp_path / "compact.fst").write_bytes(data)
    fst = read_fst(f"{tmp_path}/compact.fst")
    assert same(fst, Fst.from_arcs(0, {1: 0.25}, [(0, 1, 1, 0.5, 1), (0, 2, 2, 1.5, 1)]))


def test_tables(small: Fst, tmp_path: Path) -> None:
    with TableWriter(f"ark,scp:{tmp_path}/f.ark,{tmp_path}/f.scp", FST) as writer:
        writer.write("a", small)
        writer.write("b", small)
    for rspecifier in (f"ark:{tmp_path}/f.ark", f"scp:{tmp_path}/f.scp"):
        with SequentialReader(rspecifier, FST) as table:
            assert [(key, same(fst, small)) for key, fst in table] == [("a", True), ("b", True)]


@pytest.mark.parametrize(
    ("arcs", "finals", "what"),
    [
        ([(0, 1, 1, float("nan"), 1)], {1: 0.0}, "not a number"),
        ([(0, 1, 1, 0.0, 1)], {1: float("nan")}, "not a number"),
        ([(0, -1, 1, 0.0, 1)], {1: 0.0}, "negative label"),
    ],
)
def test_impossible_fsts_are_errors(tmp_path: Path, arcs: list, finals: dict, what: str) -> None:
    written(Fst.from_arcs(0, finals, arcs), tmp_path)
    with pytest.raises(KaldiError, match=what):
        read_fst(f"{tmp_path}/written.fst")


def test_what_is_no_fst_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.fst").write_bytes(b"no fst at all, but text")
    with pytest.raises(KaldiError, match=r"x\.fst"):
        read_fst(f"{tmp_path}/x.fst")
    with pytest.raises(KaldiError, match="none"):
        read_fst(f"{tmp_path}/none.fst")


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_damaged_files_are_errors(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Cut short or with bytes changed: read, or refused; never a crash or a giant allocation."""
    folder = tmp_path_factory.mktemp("fst")
    fst = Fst.from_arcs(0, {1: 2.0, 2: 0.0}, [(0, 1, 7, 0.5, 1), (0, 2, 8, 1.5, 2), (1, 0, 0, 0.25, 2)])
    original = written(fst, folder, data.draw(st.sampled_from(["vector", "const"])))
    damaged = bytearray(original[: data.draw(st.integers(0, len(original)))])
    for _ in range(data.draw(st.integers(0, 3))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    (folder / "damaged.fst").write_bytes(bytes(damaged))
    try:
        with open_input(f"{folder}/damaged.fst") as stream:
            assert isinstance(stream, InputStream)
            Fst.read(stream).check()
    except KaldiError as error:
        assert "damaged.fst" in str(error)


def test_properties_of_cycles_of_several_states() -> None:
    """As OpenFst has them: cyclic (bit 34), and all states reach a final one (bit 42), wherever this is."""
    for final in range(3):
        ring = Acceptor(
            0, [[(1, 0.0, 1)], [(2, 0.0, 2)], [(3, 0.0, 0)]], [0.0 if s == final else INFINITY for s in range(3)]
        )
        fst = ring.to_fst()
        properties = _csrc.fst_properties(fst.start, fst.finals, fst.offsets, fst.arcs)
        assert properties >> 34 & 3 == 1
        assert properties >> 42 & 3 == 1
