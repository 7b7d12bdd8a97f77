"""The search, piece by piece: the lattices of the search at once, and best paths on the way."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.lattices.best_paths import FasterOptions
from kaldi_bridge.lattices.decoder import Graph, SearchOptions, best_path, decode
from kaldi_bridge.lattices.online_decoder import OnlineDecoder
from kaldi_bridge.lattices.settling_decoder import SettlingDecoder
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX

OPTIONS = SearchOptions(beam=15.0, lattice_beam=8.0, max_active=7000)


@pytest.fixture
def graph(reference: Path) -> Graph:
    model = read_transition_model(str(reference / "fsdd/tdnnf/final.mdl"))
    return Graph(read_fst(str(reference / "fsdd/graph/HCLG.fst")), model)


@pytest.fixture
def outputs(reference: Path) -> dict[str, np.ndarray]:
    return dict(SequentialReader(f"ark:{reference}/fsdd/tdnnf/output.sub3.chunk140.ark", FLOAT_MATRIX))


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_lattices_are_those_of_the_search_at_once(graph: Graph, outputs: dict[str, np.ndarray], size: int) -> None:
    for output in list(outputs.values())[:4]:
        decoder = OnlineDecoder(graph, OPTIONS, 1.0)
        for start in range(0, len(output), size):
            decoder.advance(output[start : start + size])
        assert decoder.num_frames == len(output)
        found, expected = decoder.finish(), decode(graph, output, OPTIONS, 1.0)
        assert found is not None and expected is not None
        assert (found.words, found.alignment, found.cost) == (expected.words, expected.alignment, expected.cost)
        assert found.lattice.to_lists() == expected.lattice.to_lists()


def test_best_path_on_the_way(graph: Graph, reference: Path, outputs: dict[str, np.ndarray]) -> None:
    """With a graph in which every state is final, it is the path that decoding would end with."""
    fst = read_fst(str(reference / "fsdd/graph/HCLG.fst"))
    fst.finals = np.zeros_like(fst.finals)
    may_end = Graph(fst, read_transition_model(str(reference / "fsdd/tdnnf/final.mdl")))
    for output in list(outputs.values())[:2]:
        decoder = OnlineDecoder(graph, OPTIONS, 1.0)
        assert decoder.best_alignment() == []
        for end in range(1, min(len(output), 40) + 1):
            decoder.advance(output[end - 1 : end])
            expected = best_path(may_end, output[:end], OPTIONS, 1.0)
            assert expected is not None and decoder.best_alignment() == expected.alignment
            for marked in (np.zeros(1, bool), np.arange(10000) % 3 > 0, np.ones(10000, bool)):
                at_end = itertools.takewhile(lambda i, m=marked: i < len(m) and m[i], reversed(expected.alignment))
                assert decoder.marked_at_end(marked) == len(list(at_end))
            ending = best_path(graph, output[:end], OPTIONS, 1.0)
            assert ending is not None and (decoder.final_relative_cost < np.inf) == ending.reached_final
            if ending.reached_final:
                cost = sum(ending.cost) - sum(expected.cost)
                assert decoder.final_relative_cost == pytest.approx(cost, abs=1e-3)


def test_nothing(graph: Graph) -> None:
    assert OnlineDecoder(graph, OPTIONS, 1.0).finish() is None
    decoder = OnlineDecoder(graph, OPTIONS, 1.0)
    decoder.advance(np.zeros((0, graph.num_pdfs), np.float32))
    assert decoder.num_frames == 0


def test_frames_that_do_not_fit(graph: Graph) -> None:
    for decoder in (OnlineDecoder(graph, OPTIONS, 1.0), SettlingDecoder(graph, FasterOptions())):
        with pytest.raises(KaldiError, match="needs"):
            decoder.advance(np.zeros((1, graph.num_pdfs - 1), np.float32))
        with pytest.raises(EntryError, match="infinity"):
            decoder.advance(np.full((1, graph.num_pdfs), np.nan, np.float32))
