"""Topologies and transition models: Kaldi's files byte for byte, what the ids mean, and estimation."""

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io.basic_io import read_header, write_header
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import INT32_VECTOR

TOPOLOGY = """<Topology>
<TopologyEntry>
<ForPhones>
1 2
</ForPhones>
<State> 0 <PdfClass> 0 <Transition> 0 0.75 <Transition> 1 0.25 </State>
<State> 1 <PdfClass> 1 <Transition> 1 0.5 <Transition> 2 0.5 </State>
<State> 2 </State>
</TopologyEntry>
</Topology>
"""
MODELS = ["tri1/final.mdl", "chain_tree/final.mdl", "tdnnf/final.mdl", "tdnnf_cmvn/final.mdl", "tdnnf/0.trans_mdl"]


def read(path: Path, kind):
    with open_input(str(path)) as stream:
        return kind.read(stream, read_header(stream))


def write(value, path: Path, binary: bool) -> bytes:
    with open_output(str(path)) as stream:
        write_header(stream, binary)
        value.write(stream, binary)
    return path.read_bytes()


@pytest.fixture
def model(tmp_path: Path) -> TransitionModel:
    """Two phones of two states, every state with its own pdf."""
    (tmp_path / "topo").write_text(TOPOLOGY)
    topology = read(tmp_path / "topo", Topology)
    rows = [(1, 0, 0, 0), (1, 1, 1, 1), (2, 0, 2, 2), (2, 1, 3, 3)]
    log_probs = np.log(np.array([1.0] + [0.75, 0.25, 0.5, 0.5] * 2, dtype=np.float32))
    return TransitionModel(topology, np.array(rows, dtype=np.int32), log_probs)


@pytest.mark.parametrize("name", ["topo", "topo.chain"])
def test_topologies_round_trip(reference: Path, tmp_path: Path, name: str) -> None:
    """Text to binary to text is the same text."""
    topology = read(reference / "fsdd/lang" / name, Topology)
    write(topology, tmp_path / "binary", True)
    text = write(read(tmp_path / "binary", Topology), tmp_path / "text", False)
    assert text.split() == (reference / "fsdd/lang" / name).read_bytes().split()


@pytest.mark.parametrize("name", MODELS)
def test_models_round_trip(reference: Path, tmp_path: Path, name: str) -> None:
    """In Kaldi's form byte for byte, at the head of a model's file; through text to the same ids and probabilities."""
    kaldis = (reference / "fsdd" / name).read_bytes()
    model = read(reference / "fsdd" / name, TransitionModel)
    assert kaldis.startswith(write(model, tmp_path / "same", binary=kaldis.startswith(b"\0B")))
    write(model, tmp_path / "text", False)
    again = read(tmp_path / "text", TransitionModel)
    assert np.array_equal(again.tuples, model.tuples)
    assert np.allclose(again.log_probs, model.log_probs, rtol=1e-5)


def test_text_is_kaldis(reference: Path, tmp_path: Path) -> None:
    """The head of the text form of a .mdl, as Kaldi printed it."""
    kaldis = gzip.decompress((reference / "fsdd/tdnnf/final.txt.mdl.gz").read_bytes())
    head = kaldis[: kaldis.index(b"</TransitionModel>")]
    ours = write(read(reference / "fsdd/tdnnf/final.mdl", TransitionModel), tmp_path / "text", False)
    assert ours[: ours.index(b"</TransitionModel>")] == head


def test_what_the_ids_mean(model: TransitionModel) -> None:
    assert (model.num_transition_states, model.num_transition_ids, model.num_pdfs) == (4, 8, 4)
    assert model.phones == [1, 2]
    assert [int(model.id_to_pdf[i]) for i in range(1, 9)] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert [int(model.id_to_phone[i]) for i in range(1, 9)] == [1] * 4 + [2] * 4
    assert [bool(model.is_self_loop[i]) for i in range(1, 9)] == [True, False] * 4
    assert [model.self_loop_of(state) for state in range(1, 5)] == [1, 3, 5, 7]
    assert list(model.transition_ids(2)) == [3, 4]


def test_alignments_fit_their_model(reference: Path) -> None:
    """Every alignment of Kaldi's goes through the model's states in order."""
    model = read(reference / "fsdd/tri1/final.mdl", TransitionModel)
    with SequentialReader(f"ark:gunzip -c {reference}/fsdd/tri1/ali.1.gz |", INT32_VECTOR) as alignments:
        for key, alignment in alignments:
            ids = np.asarray(alignment)
            assert ids.min() >= 1, key
            assert ids.max() <= model.num_transition_ids, key
            phones = model.id_to_phone[ids]
            begins = np.flatnonzero(np.diff(phones)) + 1
            assert (model.id_to_hmm_state[ids[begins]] == 0).all(), key


def test_estimation_from_counts(model: TransitionModel) -> None:
    """Counted often: relative frequencies, floored; seldom: as before."""
    stats = np.zeros(9)
    model.accumulate([1, 1, 1, 2, 3, 4], stats)
    model.accumulate([1] * 300 + [2] * 100 + [5] * 1000, stats)
    before = model.log_probs.copy()
    improvement, count = model.mle_update(stats, floor=0.01, mincount=5.0)
    assert count == pytest.approx(stats.sum())
    assert improvement > 0
    assert model.log_probs[1] == pytest.approx(math.log(303 / 404), rel=1e-5)
    assert np.array_equal(model.log_probs[3:5], before[3:5])  # two counts are too few
    assert math.exp(model.log_probs[6]) == pytest.approx(0.01, abs=1e-4)
    for state in range(1, 5):
        assert np.exp(model.log_probs[list(model.transition_ids(state))]).sum() == pytest.approx(1.0, abs=1e-5)


def test_counts_of_another_model(model: TransitionModel) -> None:
    with pytest.raises(KaldiError, match="1 to 8"):
        model.accumulate([1, 9], np.zeros(9))


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("<Transition> 2 0.5", "<Transition> 7 0.5", "7|state"),
        ("1 2\n", "0 2\n", "phone"),
        ("</Topology>", "", "topo"),
        ("<State> 1 <PdfClass> 1", "<State> 4 <PdfClass> 1", "4|state"),
    ],
)
def test_impossible_topologies(tmp_path: Path, old: str, new: str, what: str) -> None:
    (tmp_path / "topo").write_text(TOPOLOGY.replace(old, new))
    with pytest.raises(KaldiError, match=what):
        read(tmp_path / "topo", Topology)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_damaged_models_are_errors(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("model")
    (folder / "topo").write_text(TOPOLOGY)
    rows = np.array([(1, 0, 0, 0), (1, 1, 1, 1), (2, 0, 2, 2), (2, 1, 3, 3)], dtype=np.int32)
    log_probs = np.log(np.array([1.0] + [0.75, 0.25, 0.5, 0.5] * 2, dtype=np.float32))
    whole = TransitionModel(read(folder / "topo", Topology), rows, log_probs)
    binary = data.draw(st.booleans())
    original = write(whole, folder / "model", binary)
    damaged = bytearray(original[: data.draw(st.integers(2, len(original)))])
    for _ in range(data.draw(st.integers(0, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    (folder / "damaged").write_bytes(bytes(damaged))
    try:
        read(folder / "damaged", TransitionModel)
    except KaldiError as error:
        assert "damaged" in str(error)
