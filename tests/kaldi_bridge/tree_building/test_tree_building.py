"""Trees from statistics: against brute force, and their files."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.topology import HmmState, Topology
from kaldi_bridge.hmm.tree import PDF_CLASS, Constant, Split, Table
from kaldi_bridge.io.streams import InputStream, open_input
from kaldi_bridge.lang.directory import Root
from kaldi_bridge.tree_building.bottom_up import bottom_up
from kaldi_bridge.tree_building.build import build_tree, fit
from kaldi_bridge.tree_building.files import read_questions, read_statistics, write_object
from kaldi_bridge.tree_building.gaussian import log_likelihood, moments_of_runs
from kaldi_bridge.tree_building.maps import leaves, leaves_of, renumbered, root_map, with_leaves
from kaldi_bridge.tree_building.phone_clusters import in_two, phone_questions
from kaldi_bridge.tree_building.questions import Questions
from kaldi_bridge.tree_building.splitting import split_leaves
from kaldi_bridge.tree_building.statistics import NOT_ASKED, TreeStatistics, windows_of

FLOOR = 0.01
RNG = np.random.default_rng(0)
TOPOLOGY = Topology(
    [[HmmState(i, i, [(i, 0.5), (i + 1, 0.5)]) for i in range(3)] + [HmmState()]], dict.fromkeys(range(1, 9), 0)
)


def clouds(centres: list[float], frames: int = 50) -> np.ndarray:
    """The moments of a cloud of frames around each centre."""
    return np.stack([moments_of_runs(RNG.normal(c, 1.0, (frames, 2)), np.zeros(1, np.int64))[0] for c in centres])


def statistics(width: int = 3) -> TreeStatistics:
    """Phones 1 to 8 in all contexts; what is said depends on the phone, its class and the parity of the left one."""
    windows = list(itertools.product(range(3), *[range(1, 9)] * width))
    centres = [w[2] + 6.0 * (w[1] % 2) + 0.5 * w[0] for w in windows]
    return TreeStatistics(np.array(windows, np.int32), clouds(centres, 10))


def test_log_likelihood() -> None:
    feats = RNG.normal(size=(40, 3)).astype(np.float32)
    mean, var = feats.mean(axis=0, dtype=float), feats.var(axis=0, dtype=float)
    expected = (-0.5 * ((feats - mean) ** 2 / var + np.log(2 * math.pi * var))).sum()
    assert log_likelihood(moments_of_runs(feats, np.zeros(1, np.int64))[0], FLOOR) == pytest.approx(expected, rel=1e-5)
    assert log_likelihood(np.zeros(7), FLOOR) == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_in_two_is_the_best_division(seed: int) -> None:
    """Of all divisions of nine points around two centres; k-means need not find it where there are none."""
    random = np.random.default_rng(seed)
    points = clouds((random.normal(0, 1, 9) + random.choice([-4, 4], 9)).tolist())
    whole = float(log_likelihood(points.sum(axis=0), FLOOR))
    best = max(
        float(sum(log_likelihood(points[side].sum(axis=0), FLOOR) for side in (mask, ~mask))) - whole
        for mask in (np.array(bits, bool) for bits in itertools.product((0, 1), repeat=9))
        if 0 < mask.sum() < 9
    )
    gain, sides = in_two(points, FLOOR, CRandom(1))
    assert gain == pytest.approx(best, rel=1e-4)
    parts = [points[sides == side].sum(axis=0) for side in (0, 1)]
    assert float(log_likelihood(np.stack(parts), FLOOR).sum()) - whole == pytest.approx(best, rel=1e-4)


def test_bottom_up_joins_the_nearest() -> None:
    """Three pairs of neighbours in two compartments; nothing is joined across them."""
    points = clouds([0, 20, 0.1, 40, 20.1, 40.1])
    assert [c.tolist() for c in bottom_up([points], FLOOR, fewest=3)] == [[0, 1, 0, 2, 1, 2]]
    separate = bottom_up([points[[0, 1, 3]], points[[2, 4]]], FLOOR, fewest=2)
    assert [c.tolist() for c in separate] == [[0, 0, 0], [0, 0]]
    assert [c.tolist() for c in bottom_up([points], FLOOR, threshold=-1.0)] == [list(range(6))]


def test_questions_find_what_matters(tmp_path: Path) -> None:
    """The first question is whether the left phone is odd; further ones follow the phones themselves."""
    stats = statistics()
    sets = [[p] for p in range(1, 9)]
    phone_sets = [*phone_questions(stats, sets), [1, 3, 5, 7]]
    assert {tuple(q) for q in phone_sets} >= {(p,) for p in range(1, 9)}
    questions = Questions.for_phones(phone_sets, TOPOLOGY)
    result = split_leaves([stats], questions, 0.0, 2, 1)
    assert result.subtrees == [Split(0, frozenset({1, 3, 5, 7}), Constant(0), Constant(1))]
    roots = [Root(True, True, [1, 2, 3, 4]), Root(True, False, [5]), Root(False, True, [6, 7, 8])]
    tree = build_tree(stats, roots, questions, TOPOLOGY, max_leaves=40)
    assert leaves(tree) == list(range(len(leaves(tree)))) and len(leaves(tree)) % 8 == 0
    five = leaves_of(tree, stats)[stats.column(1) == 5]
    assert len(set(five.tolist())) == 1
    larger = build_tree(stats, roots, questions, TOPOLOGY, 1, 0.0, 80, cluster_threshold=0.0, round_leaves=False)
    assert len(leaves(larger)) == 80 and fit(larger, stats) > fit(tree, stats)


def test_refined_questions_gain_more() -> None:
    """A question that is nearly right becomes right."""
    stats = statistics()
    nearly = Questions({0: [(1, 3, 5)]})
    plain = split_leaves([stats], nearly, 0.0, 2, 1)
    nearly.refinements = 5
    refined = split_leaves([stats], nearly, 0.0, 2, 1)
    assert refined.gain > plain.gain
    assert refined.subtrees[0].yes_set in ({1, 3, 5, 7}, {2, 4, 6, 8})


def test_roots() -> None:
    shared = [(True, [1, 2]), (False, [3]), (True, [4])]
    assert root_map(1, shared, TOPOLOGY) == Split(
        1,
        frozenset({1, 2}),
        Constant(0),
        Table(1, (None, None, None, Table(PDF_CLASS, tuple(map(Constant, (1, 2, 3)))), Constant(4))),
    )
    with pytest.raises(KaldiError, match="twice"):
        root_map(1, [(True, [1]), (True, [1, 2])], TOPOLOGY)


def test_maps() -> None:
    tree = Split(0, frozenset({1}), Table(PDF_CLASS, (Constant(5), Constant(9))), Constant(7))
    assert renumbered(tree) == Split(0, frozenset({1}), Table(PDF_CLASS, (Constant(0), Constant(2))), Constant(1))
    assert with_leaves(tree, {7: tree}) == Split(0, tree.yes_set, tree.yes, tree)
    stats = TreeStatistics(np.array([[0, 1], [1, 1], [0, 2]], np.int32), np.ones((3, 3)))
    assert leaves_of(tree, stats).tolist() == [5, 9, 7]
    for event in ([2, 1], [0, NOT_ASKED]):
        with pytest.raises(KaldiError, match="no leaf"):
            leaves_of(tree, TreeStatistics(np.array([event], np.int32), np.ones((1, 3))))


def test_windows() -> None:
    assert windows_of(np.array([4, 5, 6], np.int32), 3, 1).tolist() == [[0, 4, 5], [4, 5, 6], [5, 6, 0]]
    assert windows_of(np.array([4, 5], np.int32), 2, 1).tolist() == [[0, 4], [4, 5]]


@pytest.mark.parametrize("binary", [True, False])
def test_files(tmp_path: Path, binary: bool) -> None:
    stats = TreeStatistics(
        np.array([[0, 0, 1, 2], [0, NOT_ASKED, 3, NOT_ASKED]], np.int32), np.arange(10.0).reshape(2, 5)
    )
    write_object(f"{tmp_path}/stats", stats, binary)
    again = read_statistics(f"{tmp_path}/stats", 3)
    np.testing.assert_array_equal(again.events, stats.events)
    np.testing.assert_array_equal(again.moments, stats.moments)
    assert again.variance_floor == pytest.approx(stats.variance_floor, rel=1e-6)
    with pytest.raises(KaldiError, match="context-width"):
        read_statistics(f"{tmp_path}/stats", 2)
    questions = Questions.for_phones([[2, 1], [1, 2], [5]], TOPOLOGY, 2)
    assert questions.of == {PDF_CLASS: [(0,), (0, 1)], 0: [(1, 2), (5,)], 1: [(1, 2), (5,)]}
    write_object(f"{tmp_path}/qst", questions, binary)
    assert read_questions(f"{tmp_path}/qst").of == questions.of


def test_text_of_questions(tmp_path: Path) -> None:
    write_object(f"{tmp_path}/qst", Questions({0: [(1, 2)]}, 3), binary=False)
    with open_input(f"{tmp_path}/qst") as stream:
        text = stream.read_up_to(1000).decode()
    assert text == (
        "<Questions> <Key> 0 <QuestionsForKey> 1 [ 1 2 ]\n"
        "<RefineClustersOptions> 3 2 </RefineClustersOptions> </QuestionsForKey> </Questions> "
    )


def test_sums() -> None:
    one = TreeStatistics(np.array([[0, 1], [1, 2]], np.int32), np.ones((2, 3)))
    other = TreeStatistics(np.array([[0, 1]], np.int32), np.ones((1, 3)))
    total = TreeStatistics.sum([other, one])
    assert total.events.tolist() == [[0, 1], [1, 2]] and total.moments[:, 0].tolist() == [2.0, 1.0]
    with pytest.raises(KaldiError, match="different"):
        TreeStatistics.sum([one, TreeStatistics(np.zeros((1, 2), np.int32), np.ones((1, 5)))])


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damaged_statistics_are_errors(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("stats") / "stats"
    write_object(str(path), TreeStatistics(np.array([[0, 1], [1, 2]], np.int32), np.ones((2, 5))))
    raw = bytearray(path.read_bytes()[2:])
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))]
    try:
        TreeStatistics.read(InputStream.from_bytes(bytes(raw), "stats"), True)
    except KaldiError as error:
        assert "stat" in str(error)
