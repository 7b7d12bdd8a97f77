"""Phones of alignments and of lattices."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.commands.bin import ali_to_phones
from kaldi_bridge.commands.latbin import lattice_align_phones
from kaldi_bridge.hmm.phone_sequence import phones_of
from kaldi_bridge.hmm.transition_model import TransitionModel, read_transition_model
from kaldi_bridge.lattices.lattice import CompactLattice
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.phone_alignment import PhoneAligner
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR

Path_ = tuple[float, float, tuple[int, ...], tuple[int, ...]]


@pytest.fixture(scope="module")
def model(reference: Path) -> TransitionModel:
    return read_transition_model(str(reference / "fsdd/tri1_lats/final.mdl"))


def unzipped(path: Path, folder: Path) -> str:
    out = folder / path.stem
    out.write_bytes(gzip.decompress(path.read_bytes()))
    return str(out)


@pytest.fixture(scope="module")
def lattices(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, CompactLattice]:
    path = unzipped(reference / "fsdd/tri1_lats/lat.1.gz", tmp_path_factory.mktemp("lattices"))
    with SequentialReader(f"ark:{path}", COMPACT_LATTICE) as reader:
        return {key: lattice for _, (key, lattice) in zip(range(40), reader, strict=False)}


def paths(lattice: CompactLattice) -> dict[tuple[int, ...], tuple[float, float, tuple[int, ...]]]:
    """Of each path's transition-ids: its costs and its labels; the best where several paths have the same."""
    found: dict[tuple[int, ...], tuple[float, float, tuple[int, ...]]] = {}
    arcs, finals = lattice.to_lists()
    waiting: list[tuple[int, Path_]] = [(lattice.start, (0.0, 0.0, (), ()))]
    while waiting:
        state, (graph, acoustic, ids, labels) = waiting.pop()
        final = finals[state]
        if final is not None:
            whole, costs = ids + final[2], (graph + final[0], acoustic + final[1], labels)
            if whole not in found or sum(costs[:2]) < sum(found[whole][:2]):
                found[whole] = costs
        for label, g, a, more, target in arcs[state]:
            waiting.append((target, (graph + g, acoustic + a, ids + more, labels + ((label,) if label else ()))))
    return found


def test_lattice_has_the_same_paths_phone_by_phone(model: TransitionModel, lattices: dict[str, CompactLattice]) -> None:
    aligner = PhoneAligner(model, replace_output_symbols=True)
    for key, lattice in lattices.items():
        made = aligner.align(lattice)
        assert made.whole, key
        aligned = made.lattice
        before, after = paths(lattice), paths(aligned)
        assert before.keys() == after.keys(), key
        for ids, (graph, acoustic, labels) in after.items():
            assert graph == pytest.approx(before[ids][0], abs=1e-3), key
            assert acoustic == pytest.approx(before[ids][1], abs=1e-2), key
            assert labels == tuple(phones_of(model, np.array(ids))[0].tolist()), key
        for arcs in aligned.to_lists()[0]:
            for label, _, _, ids, _ in arcs:
                phones, lengths = phones_of(model, np.array(ids))
                assert phones.tolist() == [label] and lengths.tolist() == [len(ids)], key


def test_words_stay(model: TransitionModel, lattices: dict[str, CompactLattice]) -> None:
    """With words on the arcs all paths stay; where arcs without words are removed, the best path of each transcript."""
    keeping, removing = PhoneAligner(model, remove_epsilon=False), PhoneAligner(model)
    for lattice in lattices.values():
        before, aligned = paths(lattice), paths(keeping.align(lattice).lattice)
        assert {ids: value[2] for ids, value in aligned.items()} == {i: value[2] for i, value in before.items()}
        assert best_costs(paths(removing.align(lattice).lattice)) == pytest.approx(best_costs(before), abs=1e-2)


def best_costs(found: dict[tuple[int, ...], tuple[float, float, tuple[int, ...]]]) -> dict[tuple[int, ...], float]:
    """Of each sequence of labels, the cost of the best path."""
    best: dict[tuple[int, ...], float] = {}
    for graph, acoustic, labels in found.values():
        best[labels] = min(best.get(labels, float("inf")), graph + acoustic)
    return best


def test_wrong_model_is_told(
    reference: Path, lattices: dict[str, CompactLattice], tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    """A lattice cut short is warned of, written all the same, or left out with --output-error-lats=false."""
    lattice = next(iter(lattices.values()))
    arcs, finals = lattice.to_lists()
    cut = CompactLattice.from_lists(lattice.start, arcs, [(0.0, 0.0, ()) if f is None else f for f in finals])
    source, out = f"ark:{tmp_path / 'cut'}", tmp_path / "out"
    with TableWriter(source, COMPACT_LATTICE) as writer:
        writer.write("cut", cut)
    mdl = str(reference / "fsdd/tri1_lats/final.mdl")
    assert run(lattice_align_phones.main, [mdl, source, f"ark:{out}"]) == 1
    assert "final-states in last phone in lattice" in capfd.readouterr().err
    assert out.stat().st_size > 0
    assert run(lattice_align_phones.main, ["--output-error-lats=false", mdl, source, f"ark:{out}"]) == 1
    assert out.stat().st_size == 0


def test_phones_of_alignments(reference: Path, tmp_path: Path) -> None:
    """The phones of Kaldi's alignments for the chain tree are those of its GMM alignments; lengths add up."""
    fsdd = reference / "fsdd"
    made = {}
    for name in ("tri1", "chain_tree"):
        source = unzipped(fsdd / name / "ali.1.gz", tmp_path)
        mdl, out = str(fsdd / name / "final.mdl"), tmp_path / f"{name}.phones"
        assert run(ali_to_phones.main, [mdl, f"ark:{source}", f"ark:{out}"]) == 0
        with SequentialReader(f"ark:{out}", INT32_VECTOR) as reader:
            made[name] = {key: phones.tolist() for key, phones in reader}
    assert made["tri1"] == made["chain_tree"] and len(made["tri1"]) > 100
    source = unzipped(fsdd / "tri1/ali.1.gz", tmp_path)
    mdl, ctm, frames = str(fsdd / "tri1/final.mdl"), tmp_path / "ctm", tmp_path / "frames"
    assert run(ali_to_phones.main, ["--ctm-output", mdl, f"ark:{source}", str(ctm)]) == 0
    assert run(ali_to_phones.main, ["--per-frame", mdl, f"ark:{source}", f"ark:{frames}"]) == 0
    with (
        SequentialReader(f"ark:{source}", INT32_VECTOR) as reader,
        SequentialReader(f"ark:{frames}", INT32_VECTOR) as phones,
    ):
        lengths = {key: len(alignment) for key, alignment in reader}
        assert {key: len(of_frames) for key, of_frames in phones} == lengths
    ends: dict[str, float] = {}
    for line in ctm.read_text().splitlines():
        key, channel, start, length, _ = line.split()
        assert channel == "1" and float(start) == pytest.approx(ends.get(key, 0.0), abs=0.011)
        ends[key] = float(start) + float(length)
    assert all(ends[key] == pytest.approx(0.01 * n, abs=0.011) for key, n in lengths.items())
