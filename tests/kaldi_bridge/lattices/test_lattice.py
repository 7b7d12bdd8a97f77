"""Lattices: files as Kaldi wrote them, conversions, and the tools that scoring scripts pipe through."""

import contextlib
import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaldi_bridge.command import run
from kaldi_bridge.commands.latbin import (
    lattice_add_penalty,
    lattice_best_path,
    lattice_copy,
    lattice_prune,
    lattice_scale,
    lattice_to_nbest,
)
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import InputStream
from kaldi_bridge.lattices.costs import add_word_penalty, prune, scale
from kaldi_bridge.lattices.lattice import CompactLattice, Lattice, connected, to_compact, to_lattice, top_sorted
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE, LATTICE, read_lattice
from kaldi_bridge.lattices.paths import best_path, n_best_paths
from kaldi_bridge.tables import SequentialReader, TableWriter


@pytest.fixture
def diamond() -> CompactLattice:
    """Words 1 2 (cost 3) and 1 3 (cost 4), and 4 alone (cost 10)."""
    arcs = [
        [(1, 1.0, 0.0, (11, 12), 1), (4, 4.0, 6.0, (40, 41, 42), 3)],
        [(2, 1.0, 0.0, (21,), 2), (3, 1.0, 1.0, (31,), 2)],
        [],
        [],
    ]
    return CompactLattice.from_lists(0, arcs, [None, None, (0.5, 0.5, ()), (0.0, 0.0, ())])


def word_paths(lattice: CompactLattice | Lattice, n: int = 100) -> dict[tuple[int, ...], tuple[float, list[int]]]:
    """Words -> (cost, alignment) of every path, best first."""
    found: dict[tuple[int, ...], tuple[float, list[int]]] = {}
    for path in n_best_paths(to_lattice(lattice), n):
        arcs = path.arcs.tolist()
        words = tuple(arc[1] for arc in arcs if arc[1])
        cost = sum(arc[2] + arc[3] for arc in arcs) + path.finals[-1].sum()
        found.setdefault(words, (cost, [arc[0] for arc in arcs if arc[0]]))
    return found


@pytest.mark.parametrize("name", ["decode_test/lat.2.gz", "decode_test_cmvn/lat.1.gz", "tri1_lats/lat.1.gz"])
def test_archives_round_trip(reference: Path, tmp_path: Path, name: str) -> None:
    """Binary byte for byte; through text (six digits) to the same structure."""
    source = reference / "fsdd" / name
    text, binary = f"ark,t:{tmp_path}/text", f"ark:{tmp_path}/binary"
    assert run(lattice_copy.main, [f"ark:gunzip -c {source} |", binary]) == 0
    assert (tmp_path / "binary").read_bytes() == gzip.decompress(source.read_bytes())
    assert run(lattice_copy.main, [binary, text]) == 0
    with SequentialReader(binary, COMPACT_LATTICE) as exact, SequentialReader(text, COMPACT_LATTICE) as rounded:
        for (key, a), (other_key, b) in zip(exact, rounded, strict=True):
            assert (key, a.start, a.num_states) == (other_key, b.start, b.num_states)
            for field in ("label", "nextstate"):
                assert (a.arcs[field] == b.arcs[field]).all()
            assert (a.strings == b.strings).all() and (a.string_offsets == b.string_offsets).all()


def test_kinds_convert_into_each_other(diamond: CompactLattice) -> None:
    plain = to_lattice(diamond)
    assert plain.num_arcs == 7  # one for each transition-id
    assert word_paths(plain) == word_paths(diamond) == word_paths(to_compact(plain))
    assert to_compact(plain).num_arcs == diamond.num_arcs


def test_best_path(diamond: CompactLattice) -> None:
    path = best_path(diamond)
    assert path is not None
    assert (path.words, path.alignment, path.cost) == ([1, 2], [11, 12, 21], (2.5, 0.5))
    assert best_path(CompactLattice.from_lists(-1, [], [])) is None
    with pytest.raises(KaldiError, match="cycle"):
        best_path(CompactLattice.from_lists(0, [[(1, 0.0, 0.0, (), 0)]], [(0.0, 0.0, ())]))


def test_n_best_in_order(diamond: CompactLattice) -> None:
    assert list(word_paths(diamond)) == [(1, 2), (1, 3), (4,)]
    assert len(list(n_best_paths(to_lattice(diamond), 2))) == 2


def test_scale_and_penalty(diamond: CompactLattice) -> None:
    scaled = scale(diamond, acoustic=2.0, graph=3.0, acoustic_to_graph=0.5, graph_to_acoustic=0.25)
    assert scaled.arcs.tolist()[1][1:3] == (3 * 4 + 0.5 * 6, 0.25 * 4 + 2 * 6)
    assert add_word_penalty(diamond, 0.5).arcs["graph"].tolist() == [1.5, 4.5, 1.5, 1.5]


def test_scaling_keeps_what_cannot_happen() -> None:
    """Infinity times zero is no number; Kaldi's lattice-scale and lattice-to-fst write Infinity."""
    lattice = CompactLattice.from_lists(
        0, [[(1, np.inf, np.inf, (2,), 1), (2, 1.0, 2.0, (2,), 1)], []], [None, (0, 0, ())]
    )
    arcs = scale(lattice, 0.5, 2.0).arcs
    np.testing.assert_array_equal(arcs["graph"], [np.inf, 2.0])
    np.testing.assert_array_equal(arcs["acoustic"], [np.inf, 1.0])


def test_prune_keeps_what_is_within_the_beam(diamond: CompactLattice) -> None:
    assert list(word_paths(prune(diamond, 1.5))) == [(1, 2), (1, 3)]
    assert prune(diamond, 0.5).num_states == 3
    assert prune(diamond, 100.0).num_arcs == diamond.num_arcs
    with pytest.raises(KaldiError):
        prune(diamond, 0.0)


def test_connected_drops_dead_ends() -> None:
    lattice = Lattice.from_lists(
        0, [[(1, 1, 0.0, 0.0, 1), (2, 2, 0.0, 0.0, 2)], [], [], []], [None, (0.0, 0.0), None, (0.0, 0.0)]
    )
    assert connected(lattice).num_states == 2


def test_topological_numbers() -> None:
    lattice = Lattice.from_lists(2, [[], [(1, 1, 0.0, 0.0, 0)], [(2, 2, 0.0, 0.0, 1)]], [(0.0, 0.0), None, None])
    assert [[arc[-1] for arc in out] for out in top_sorted(lattice).to_lists()[0]] == [[1], [2], []]


def write(tmp_path: Path, lattice: CompactLattice) -> str:
    with TableWriter(f"ark:{tmp_path}/in.lats", COMPACT_LATTICE) as writer:
        writer.write("a", lattice)
    return f"ark:{tmp_path}/in.lats"


def test_tools(tmp_path: Path, diamond: CompactLattice, capfd: pytest.CaptureFixture[str]) -> None:
    source, out = write(tmp_path, diamond), f"ark:{tmp_path}/out.lats"
    assert run(lattice_to_nbest.main, ["--n=5", source, out]) == 0
    with SequentialReader(out, LATTICE) as reader:
        assert [key for key, _ in reader] == ["a-1", "a-2", "a-3"]
    assert run(lattice_to_nbest.main, ["--random=true", "--srand=3", "--n=4", source, out]) == 0
    assert run(lattice_prune.main, ["--beam=1.5", source, out]) == 0
    assert "pruned #states from 4 to 3 and #arcs from 4 to 3" in capfd.readouterr().err
    assert run(lattice_add_penalty.main, ["--word-ins-penalty=20", source, out]) == 0
    assert run(lattice_best_path.main, [out, f"ark,t:{tmp_path}/words", f"ark,t:{tmp_path}/ali"]) == 0
    assert (tmp_path / "words").read_text() == "a 4 \n"
    assert (tmp_path / "ali").read_text() == "a 40 41 42 \n"
    assert "For utterance a, best cost 24 + 6 = 30 over 3 frames." in capfd.readouterr().err


@pytest.mark.parametrize("option", ["--acoustic-scale=0", "--n=0", "--lm-scale=0"])
def test_options_that_make_no_sense(tmp_path: Path, diamond: CompactLattice, option: str) -> None:
    assert run(lattice_to_nbest.main, [option, write(tmp_path, diamond), "ark:/dev/null"]) == 255


def test_both_acoustic_scales(tmp_path: Path, diamond: CompactLattice) -> None:
    arguments = ["--acoustic-scale=2", "--inv-acoustic-scale=2", write(tmp_path, diamond), "ark:/dev/null"]
    assert run(lattice_scale.main, arguments) == 255


def test_scales_are_single_precision(tmp_path: Path) -> None:
    """What Kaldi's lattice-scale with the same options makes of these costs, to the last bit."""
    (tmp_path / "lattice").write_text("a\n0 1 7 3.3,6.7,5_6\n1 2.25,12.34,7\n\n")
    source, out = f"ark:{tmp_path}/lattice", f"ark:{tmp_path}/out"
    assert run(lattice_scale.main, ["--acoustic-scale=0.1", "--lm-scale=0.1", source, out]) == 0
    with SequentialReader(out, COMPACT_LATTICE) as lattices:
        (_, scaled), *_ = lattices
    assert scaled.arcs.tolist() == [(7, 0.33000001311302185, 0.6700000166893005, 1)]
    assert scaled.finals[1].tolist() == [0.22500000894069672, 1.2340000867843628]


def test_no_lattices_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert run(lattice_scale.main, [f"ark:{tmp_path}/empty", "ark:/dev/null"]) == 1


def _bytes_of(lattice: CompactLattice | Lattice, tmp_path: Path) -> bytes:
    with TableWriter(
        f"ark:{tmp_path}/x", COMPACT_LATTICE if isinstance(lattice, CompactLattice) else LATTICE
    ) as writer:
        writer.write("a", lattice)
    return (tmp_path / "x").read_bytes()[2:]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_lattices_are_errors(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Bytes changed or cut off: read, or a KaldiError; never anything else. The same where C++ reads the archive."""
    arcs = [[(1, 1.0, 0.0, (11, 12), 1), (4, 4.0, 6.0, (40,), 1)], []]
    compact = CompactLattice.from_lists(0, arcs, [None, (0.5, 0.5, (3,))])
    folder = tmp_path_factory.mktemp("damaged")
    raw = bytearray(_bytes_of(data.draw(st.sampled_from([compact, to_lattice(compact)])), folder))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))]
    read = in_archive = None
    with contextlib.suppress(KaldiError):
        read = to_lattice(read_lattice(InputStream.from_bytes(bytes(raw), "damaged")))
    (folder / "damaged").write_bytes(b"a " + raw)
    with contextlib.suppress(KaldiError), SequentialReader(f"ark:{folder}/damaged", LATTICE) as reader:
        in_archive = next(reader)[1]
    assert (read is None) == (in_archive is None)
    if read is not None and in_archive is not None:
        assert [part.tobytes() for part in read.parts[1:]] == [part.tobytes() for part in in_archive.parts[1:]]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="0123456789\t\n,_.- eInfx", max_size=120))
def test_any_text_is_a_lattice_or_an_error(text: str) -> None:
    with contextlib.suppress(KaldiError):
        read_lattice(InputStream.from_bytes(b"\n" + text.encode() + b"\n\n", "text"))


@pytest.mark.parametrize(
    "text", ["0 1 1 1.5,2.5,2_4\n1 0.5,1\n", "1 0.5,1\n0 1 1 1.5,2.5,2_4\n", "0 1 1 1 1.5,2.5\n1 0.5,1,\n"]
)
def test_final_costs_of_the_other_kind_are_an_error(text: str) -> None:
    """The first text is what is left of a compact lattice cut off after its last cost."""
    with pytest.raises(KaldiError, match="bad line in a text lattice"):
        read_lattice(InputStream.from_bytes(b"\n" + text.encode() + b"\n", "text"))
