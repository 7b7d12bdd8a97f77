"""Composition, determinization, minimization and phones in context are Kaldi's own, state by state.

The judge is kaldifst, which wraps Kaldi's and OpenFst's code, on FSTs made at random.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, read_fst, write_fst
from kaldi_bridge.fsts.fstext import composed, context_composed, encoded_minimized, star_determinized
from kaldi_bridge.fsts.openfst import OpenFst, _kaldifst
from kaldi_bridge.fsts.rational import arc_sorted
from kaldi_bridge.fsts.weight_pushing import push_special

SEEDS = range(12)


def random_fst(random: np.random.Generator, states: int, arcs: int, labels: int, *, acyclic: bool = False) -> Fst:
    """Any arcs, a third of their labels epsilon; costs from few values, so that states can be the same."""
    found = []
    for _ in range(arcs):
        source, target = sorted(random.integers(0, states, 2).tolist())
        if acyclic and source == target:
            continue
        if not acyclic and random.random() < 0.4:
            source, target = target, source
        ilabel, olabel = (random.integers(1, labels, 2) * (random.random(2) > 0.3)).tolist()
        found.append((source, ilabel, olabel, float(random.choice([0.0, 0.25, 0.3, 1.1])), target))
    ends = random.integers(0, states, 3).tolist()
    return Fst.from_arcs(0, {int(end): float(random.choice([0.0, 0.7])) for end in [*ends, states - 1]}, found)


def assert_same(ours: Fst, theirs: Fst) -> None:
    assert ours.start == theirs.start
    for name in ("finals", "offsets", "arcs"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name


@pytest.mark.parametrize("seed", SEEDS)
def test_composition(seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second = (random_fst(random, 12, 60, 6) for _ in range(2))
    first = arc_sorted(first, "olabel")
    for other in (second, arc_sorted(second)):  # sorted, the side with fewer arcs is gone through
        assert_same(composed(first, other), OpenFst.of(first).composed(_tested(other)).fst())


def _tested(fst: Fst) -> OpenFst:
    """It is known whether it is sorted, as Kaldi's program tests that."""
    native = OpenFst.of(fst)
    _ = native.native.is_ilabel_sorted
    return native


@pytest.mark.parametrize("in_log", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_determinization(seed: int, in_log: bool) -> None:
    random = np.random.default_rng(seed)
    acceptor = random_fst(random, 15, 60, 4, acyclic=True)
    words = acceptor.arcs["ilabel"] * 10 * (acceptor.arcs["ilabel"] == 3)  # so that it is functional
    acceptor.arcs["olabel"] = words
    native = OpenFst.of(acceptor).arc_sorted()
    _kaldifst().determinize_star(native.native, delta=1 / 1024, max_states=-1, use_log=in_log)
    assert_same(star_determinized(acceptor, in_log), native.fst())


@pytest.mark.parametrize("acyclic", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_minimization(seed: int, acyclic: bool) -> None:
    random = np.random.default_rng(seed)
    fst = random_fst(random, 40, 90, 3, acyclic=acyclic)
    if acyclic and seed % 2:
        fst = star_determinized(Fst(fst.start, fst.finals, fst.offsets, _acceptor(fst.arcs)))
    native = OpenFst.of(fst)
    _kaldifst().minimize_encoded(native.native, 1 / 1024)
    assert_same(encoded_minimized(fst), native.fst())


def _acceptor(arcs: np.ndarray) -> np.ndarray:
    changed = arcs.copy()
    changed["olabel"] = changed["ilabel"]
    return changed


@pytest.mark.parametrize(("width", "central"), [(1, 0), (2, 1), (3, 1), (3, 0)])
def test_phones_in_context(width: int, central: int) -> None:
    fst = random_fst(np.random.default_rng(0), 20, 60, 8)
    ours, labels = context_composed(fst, [6, 7], width, central)
    theirs, their_labels = _kaldifst().compose_context([6, 7], width, central, OpenFst.of(fst).native)
    assert_same(ours, OpenFst(theirs).fst())
    assert labels == [list(label) for label in their_labels]
    with pytest.raises(KaldiError, match="no phone"):
        context_composed(fst, [6], width, width)


def test_nothing_is_left(tmp_path: Path) -> None:
    """No states come out where none are on a path to an end; files of these can be read again."""
    fst = Fst.from_arcs(0, {}, [(0, 1, 1, 0.5, 1), (1, 2, 2, 0.5, 0)])
    nothing = [composed(arc_sorted(fst, "olabel"), fst), encoded_minimized(fst), push_special(encoded_minimized(fst))]
    for number, made in enumerate(nothing):
        assert (made.num_states, made.start) == (0, -1)
        write_fst(str(tmp_path / str(number)), made)
        assert read_fst(str(tmp_path / str(number))).num_states == 0


def test_what_cannot_be_done() -> None:
    fst = Fst.from_arcs(0, {1: 0.0}, [(0, 1, 2, 0.0, 1), (0, 1, 1, 0.0, 1)])
    with pytest.raises(KaldiError, match="not sorted by output"):
        composed(fst, fst)
    with pytest.raises(KaldiError, match="not functional"):
        star_determinized(fst)
    loop = Fst.from_arcs(0, {1: 0.0}, [(0, 1, 0, 0.0, 0), (0, 2, 0, 0.0, 1)])
    with pytest.raises(KaldiError, match="passed 1 states"):
        star_determinized(loop, max_states=1)
