"""The lattice search: Kaldi's lattices on real speech, every path of small graphs, hostile input."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import FST, Fst, read_fst
from kaldi_bridge.hmm.transition_model import TransitionModel, read_transition_model
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.decoder import Graph, SearchOptions, best_path, decode
from kaldi_bridge.lattices.lattice import CompactLattice, Lattice, to_lattice
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.paths import n_best_paths
from kaldi_bridge.tables import RandomAccessReader, SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX, INT32_VECTOR
from tests.helpers.tiny_model import tiny_model


def word_costs(lattice: CompactLattice | Lattice, n: int = 1000) -> dict[tuple[int, ...], float]:
    """Words -> cost of their best path, for the n best paths."""
    found: dict[tuple[int, ...], float] = {}
    for path in n_best_paths(to_lattice(lattice), n):
        arcs = path.arcs.tolist()
        cost = sum(arc[2] + arc[3] for arc in arcs) + path.finals[-1].sum()
        words = tuple(arc[1] for arc in arcs if arc[1])
        found[words] = min(cost, found.get(words, np.inf))
    return found


@pytest.fixture(scope="module")
def model(reference: Path) -> TransitionModel:
    return read_transition_model(f"{reference}/fsdd/tdnnf/final.mdl")


@pytest.fixture(scope="module")
def graph(reference: Path, model: TransitionModel) -> Graph:
    return Graph(read_fst(f"{reference}/fsdd/graph/HCLG.fst"), model)


@pytest.fixture(scope="module")
def log_likelihoods(reference: Path) -> dict[str, np.ndarray]:
    with SequentialReader(f"ark:{reference}/fsdd/tdnnf/output.sub3.chunk140.ark", FLOAT_MATRIX) as table:
        return dict(table)


OPTIONS = SearchOptions(beam=15.0, max_active=7000, min_active=200, lattice_beam=8.0)


def test_lattices_are_kaldis(reference: Path, graph: Graph, log_likelihoods: dict[str, np.ndarray]) -> None:
    """All word sequences of Kaldi's lattices with their costs; the options are those of steps/nnet3/decode.sh."""
    lattices = f"ark:gunzip -c {reference}/fsdd/decode_test/lat.*.gz |"
    checked = 0
    with RandomAccessReader(lattices, COMPACT_LATTICE) as kaldis:
        for key, matrix in log_likelihoods.items():
            if key not in kaldis:
                continue
            decoded = decode(graph, matrix, OPTIONS, 1.0)
            assert decoded is not None
            assert decoded.complete
            assert decoded.reached_final
            assert isinstance(decoded.lattice, CompactLattice)
            ours = word_costs(scale(decoded.lattice, acoustic=10.0), 50)
            theirs = word_costs(kaldis[key], 50)
            assert min(ours, key=ours.__getitem__) == min(theirs, key=theirs.__getitem__), key
            assert ours.keys() == theirs.keys(), key
            for words, cost in theirs.items():
                assert ours[words] == pytest.approx(cost, rel=1e-5, abs=1e-2), (key, words)
            checked += 1
    assert checked == 12


def test_best_paths_are_kaldis(reference: Path, graph: Graph, log_likelihoods: dict[str, np.ndarray]) -> None:
    """The alignment of the best path, frame by frame."""
    lines = (reference / "fsdd/decode_test/best_path.transition_ids.txt").read_text().splitlines()
    kaldis = {line.split()[0]: [int(i) for i in line.split()[1:]] for line in lines}
    for key, matrix in log_likelihoods.items():
        decoded = decode(graph, matrix, OPTIONS, 1.0)
        assert decoded is not None
        assert decoded.alignment == kaldis[key], key
        assert len(decoded.alignment) == len(matrix)


def test_of_paths_that_cost_the_same_kaldis_is_taken() -> None:
    """Made-up graphs with many, and what Kaldi's align-compiled-mapped --beam=4 --retry-beam=50 found there.

    Without costs of transitions. Two graphs have more states than its table of tokens has buckets.
    """
    folder = Path(__file__).parent / "ties"
    model = read_transition_model(f"{folder}/tiny.mdl")
    graphs = dict(SequentialReader(f"ark:{folder}/graphs.fsts", FST))
    found = {}
    for key, matrix in SequentialReader(f"ark:{folder}/likes.ark", FLOAT_MATRIX):
        for beam in (4.0, 50.0):
            path = best_path(Graph(graphs[key], model), matrix, SearchOptions(beam=beam, min_active=20), 1.0)
            if path is not None and path.reached_final:
                found[key] = path.alignment
                break
    kaldis = {key: ids.tolist() for key, ids in SequentialReader(f"ark:{folder}/aligned.ark", INT32_VECTOR)}
    assert found == kaldis and len(kaldis) == len(graphs) == 12


def test_best_path_in_double_precision(tiny: TransitionModel) -> None:
    """A difference that single precision loses beside the cost of the frames before."""
    arcs = [(0, 1, 0, 1e6, 1), (1, 3, 1, 1e-3, 2), (1, 4, 2, 5e-4, 2)]
    path = best_path(Graph(Fst.from_arcs(0, {2: 0.0}, arcs), tiny), np.zeros((2, 2), np.float32), SearchOptions(), 1.0)
    assert path is not None and path.reached_final
    assert (path.words, path.alignment) == ([2], [1, 4])


# Small graphs, where all paths can be tried.


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TransitionModel:
    return tiny_model(tmp_path_factory.mktemp("tiny"))


def all_paths(fst: Fst, model: TransitionModel, matrix: np.ndarray) -> dict[tuple[int, ...], float]:
    """Words -> cost of their best path to a final state, by trying every path."""
    found: dict[tuple[int, ...], float] = {}
    stack: list[tuple[int, int, float, tuple[int, ...]]] = [(fst.start, 0, 0.0, ())]
    while stack:
        state, t, cost, words = stack.pop()
        if t == len(matrix) and np.isfinite(fst.finals[state]):
            total = cost + float(fst.finals[state])
            found[words] = min(total, found.get(words, np.inf))
        for label, word, weight, target in fst.arcs_of(state).tolist():
            said = (*words, word) if word else words
            if label == 0:
                stack.append((target, t, cost + weight, said))
            elif t < len(matrix):
                stack.append((target, t + 1, cost + weight - float(matrix[t, model.id_to_pdf[label]]), said))
    return found


def test_no_arc_leads_to_a_state_that_was_pruned(tiny: TransitionModel) -> None:
    """State 1 is a dead end that only shows at the end of the utterance."""
    fst = Fst.from_arcs(0, {2: 0.0}, [(0, 1, 0, 0.0, 1), (0, 1, 0, 0.0, 0), (0, 0, 0, 0.0, 2), (0, 0, 0, 0.0, 1)])
    options = SearchOptions(beam=1000.0, lattice_beam=1000.0, determinize_lattice=False)
    decoded = decode(Graph(fst, tiny), np.zeros((1, 2), np.float32), options, 1.0)
    assert decoded is not None
    assert decoded.lattice.to_lists()[0] == [[(1, 0, 0.0, 0.0, 1)], [(0, 0, 0.0, 0.0, 2)], []]


COSTS = st.integers(0, 40).map(lambda n: n / 16)


@st.composite
def graphs(draw: st.DrawFn) -> Fst:
    """Up to five states; arcs without input labels only lead to higher states."""
    n = draw(st.integers(2, 5))
    arcs = []
    for _ in range(draw(st.integers(2, 9))):
        source, target, word = draw(st.integers(0, n - 1)), draw(st.integers(0, n - 1)), draw(st.integers(0, 3))
        label = draw(st.integers(0 if target > source else 1, 4))
        arcs.append((source, label, word, draw(COSTS), target))
    return Fst.from_arcs(0, {n - 1: draw(COSTS)}, arcs)


@settings(deadline=None, max_examples=200)
@given(graphs(), st.lists(st.tuples(COSTS, COSTS), min_size=1, max_size=4))
def test_lattice_has_the_best_path_of_every_word_sequence(
    tiny: TransitionModel, fst: Fst, frames: list[tuple[float, float]]
) -> None:
    matrix = -np.array(frames, dtype=np.float32)
    expected = all_paths(fst, tiny, matrix)
    options = SearchOptions(beam=1000.0, lattice_beam=1000.0)
    decoded = decode(Graph(fst, tiny), matrix, options, 1.0)
    if not expected:
        assert decoded is None or not decoded.reached_final
        return
    assert decoded is not None
    assert decoded.reached_final
    found = word_costs(decoded.lattice)
    assert found.keys() == expected.keys()
    for words, cost in expected.items():
        assert found[words] == pytest.approx(cost, abs=1e-4)
    best = min(expected.values())
    assert sum(decoded.cost) == pytest.approx(best, abs=1e-4)
    assert expected[tuple(decoded.words)] == pytest.approx(best, abs=1e-4)


@settings(deadline=None, max_examples=100)
@given(graphs(), st.lists(st.tuples(COSTS, COSTS), min_size=1, max_size=4), st.sampled_from([0.1, 0.5, 2.0]))
def test_undetermined_lattices_and_scales(
    tiny: TransitionModel, fst: Fst, frames: list[tuple[float, float]], acoustic_scale: float
) -> None:
    """Without determinization the same words at the same cost; acoustic costs come back unscaled."""
    matrix = -np.array(frames, dtype=np.float32)
    expected = all_paths(fst, tiny, acoustic_scale * matrix)
    options = SearchOptions(beam=1000.0, lattice_beam=1000.0, determinize_lattice=False)
    decoded = decode(Graph(fst, tiny), matrix, options, acoustic_scale)
    if not expected:
        return
    assert decoded is not None
    assert isinstance(decoded.lattice, Lattice)
    found = word_costs(scale(decoded.lattice, acoustic=acoustic_scale), 10000)
    assert found.keys() == expected.keys()
    assert all(found[words] == pytest.approx(cost, abs=1e-3) for words, cost in expected.items())


def test_lattice_beam_drops_the_unlikely(tiny: TransitionModel) -> None:
    fst = Fst.from_arcs(0, {1: 0.0}, [(0, 1, 1, 0.0, 1), (0, 2, 2, 5.0, 1), (0, 3, 3, 20.0, 1)])
    matrix = np.zeros((1, 2), dtype=np.float32)
    for beam, words in ((1.0, 1), (6.0, 2), (30.0, 3)):
        decoded = decode(Graph(fst, tiny), matrix, SearchOptions(beam=100.0, lattice_beam=beam), 1.0)
        assert decoded is not None
        assert len(word_costs(decoded.lattice)) == words


def test_no_final_state_is_told(tiny: TransitionModel) -> None:
    fst = Fst.from_arcs(0, {2: 0.0}, [(0, 1, 7, 0.0, 1), (1, 1, 8, 0.0, 2)])
    decoded = decode(Graph(fst, tiny), np.zeros((1, 2), dtype=np.float32), SearchOptions(), 1.0)
    assert decoded is not None
    assert not decoded.reached_final
    assert decoded.words == [7]


def test_what_cannot_be_decoded(tiny: TransitionModel) -> None:
    fst = Fst.from_arcs(0, {1: 0.0}, [(0, 3, 7, 0.0, 1), (1, 1, 0, 0.0, 1)])
    graph = Graph(fst, tiny)
    with pytest.raises(KaldiError, match="infinity or not a number"):
        decode(graph, np.full((2, 2), np.nan, dtype=np.float32), SearchOptions(), 1.0)
    with pytest.raises(KaldiError):
        decode(graph, np.zeros((2, 1), dtype=np.float32), SearchOptions(), 1.0)  # the graph has pdf 1
    with pytest.raises(KaldiError):
        decode(graph, np.zeros((0, 2), dtype=np.float32), SearchOptions(), 1.0)
    with pytest.raises(KaldiError, match="HCLG"):
        Graph(Fst.from_arcs(0, {1: 0.0}, [(0, 5, 7, 0.0, 1)]), tiny, "HCLG")  # there are 4 transition-ids
    with pytest.raises(KaldiError, match="HCLG"):
        Graph(Fst.from_arcs(0, {0: 0.0}, [(0, 0, 7, 0.0, 1), (1, 0, 0, 0.0, 0)]), tiny, "HCLG")


@pytest.mark.parametrize(
    "wrong",
    [
        {"beam": 0.0},
        {"lattice_beam": -1.0},
        {"max_active": 1},
        {"min_active": -1},
        {"prune_interval": 0},
    ],
)
def test_options_that_make_no_sense(wrong: dict[str, float]) -> None:
    with pytest.raises(KaldiError, match=next(iter(wrong)).replace("_", "-")):
        SearchOptions(**wrong).check()


def test_threads_find_the_same(graph: Graph, log_likelihoods: dict[str, np.ndarray]) -> None:
    def words(matrix: np.ndarray) -> list[int]:
        decoded = decode(graph, matrix, OPTIONS, 1.0)
        assert decoded is not None
        return decoded.words

    alone = [words(m) for m in log_likelihoods.values()]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(words, itertools.chain(*[log_likelihoods.values()] * 3)))
    assert together == alone * 3
