"""Flat-start training: whole utterances, brought to a few lengths."""

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.features.options import MfccOptions
from kaldi_bridge.fsts.fst import FST, Fst
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.wave import Wave, write_wave
from kaldi_bridge.tables import TableWriter
from nnet3_compat.chain.numerator import numerator
from steps_pytorch.data.audio_features import AudioFeatures
from steps_pytorch.data.dataset import ChunkShape, DataSet
from steps_pytorch.data.feature_sources import TableFeatures
from steps_pytorch.data.flat_start import FlatStartTargets
from steps_pytorch.data.loader import ChunkLoader
from steps_pytorch.data.targets import PdfTargets, SupervisionTargets
from tests.helpers.made_up_data import FACTOR, NUM_PDFS, MadeUpData

SHAPE = ChunkShape(5, 4, FACTOR)


def graph(pdfs: list[int]) -> Fst:
    """These pdfs in order, each at least once."""
    arcs = []
    for state, pdf in enumerate(pdfs):
        arcs += [(state, pdf + 1, pdf + 1, 0.0, state + 1), (state + 1, pdf + 1, pdf + 1, 0.5, state + 1)]
    return Fst.from_arcs(0, {len(pdfs): 0.0}, arcs)


@pytest.fixture
def made_up(tmp_path) -> MadeUpData:
    made = MadeUpData(tmp_path)
    graphs = {name: graph([i % NUM_PDFS for i in range(10)]) for name in made.names}
    graphs[made.names[3]] = graph([0] * 100)  # too much to say in 24 output frames
    with TableWriter(f"ark,scp:{tmp_path}/fst.ark,{tmp_path}/fst.scp", FST) as writer:
        for name in made.names[1:]:
            writer.write(name, graphs[name])
    return made


def whole(dataset: DataSet, **options) -> ChunkLoader:
    return ChunkLoader([dataset], SHAPE, chunk_width="-1", minibatch_size="4", **options)


def test_whole_utterances_with_their_graphs(made_up, capsys):
    targets = FlatStartTargets([f"{made_up.path}/fst.scp"], NUM_PDFS)
    train = DataSet("train", TableFeatures(made_up.data), targets, frame_subsampling_factor=FACTOR)
    seen = {}
    for batch in whole(train):
        supervision = batch.supervision
        assert supervision.fst is None
        assert len(supervision.e2e_fsts) == supervision.num_sequences == len(batch.chunks)
        assert supervision.frames_per_sequence == batch.num_outputs
        log_prob, _ = numerator([supervision], batch.features.new_zeros(batch.num_outputs, len(batch.chunks), NUM_PDFS))
        assert np.isfinite(float(log_prob))
        for name, first in batch.chunks:
            assert first == 0
            seen[name] = batch.num_outputs * FACTOR
    assert set(seen) == set(made_up.names) - {made_up.names[0], made_up.names[3]}
    for name, width in seen.items():
        assert made_up.lengths[name] <= width <= 1.1 * made_up.lengths[name] + FACTOR
    messages = capsys.readouterr().err
    assert f"utterance {made_up.names[0]} is left out: features, but no targets" in messages
    assert f"utterance {made_up.names[3]}: its transcript takes at least 100 output frames" in messages


def test_alignments_end_with_the_utterance(made_up):
    train = DataSet("train", TableFeatures(made_up.data), PdfTargets(made_up.pdfs, NUM_PDFS, FACTOR))
    for batch in whole(train, training=False):
        for pdfs, (name, _) in zip(batch.pdfs, batch.chunks, strict=True):
            expected = made_up.pdfs[name]
            np.testing.assert_array_equal(pdfs[: len(expected)], expected)
            assert (pdfs[len(expected) + 1 :] == -1).all()


def test_speeds_bring_recordings_to_an_allowed_length(tmp_path):
    random = np.random.default_rng(0)
    (tmp_path / "utt2spk").write_text("".join(f"u{i} u{i}\n" for i in range(8)))
    with open(tmp_path / "wav.scp", "w") as scp:
        for i in range(8):
            with open_output(f"{tmp_path}/u{i}.wav") as stream:
                write_wave(stream, Wave(8000, random.normal(size=(1, 8000 + 900 * i)) * 1000))
            scp.write(f"u{i} {tmp_path}/u{i}.wav\n")
    source = AudioFeatures(tmp_path, MfccOptions(sample_frequency=8000, dither=0))
    train = DataSet("train", source, speeds=(0.9, 1.1), frame_subsampling_factor=FACTOR)
    chunks = whole(train)
    widths: dict[str, set[int]] = {}
    for _ in range(4):
        for plan in chunks._batches():
            for chunk in plan.chunks(train.utterances):
                width = plan.num_outputs * FACTOR
                assert 0.88 < chunk.speed < 1.12
                assert source.length_at(chunk.utterance, chunk.speed) == width
                widths.setdefault(chunk.utterance, set()).add(width)
        assert sum(len(batch.chunks) for batch in chunks) == 8
    assert max(map(len, widths.values())) > 1


def test_targets_and_widths_must_go_together(made_up):
    features = TableFeatures(made_up.data)
    lattices = SupervisionTargets(f"{made_up.path}/supervision.scp", f"{made_up.path}/normalization.fst")
    with pytest.raises(KaldiError, match="lattice supervision is cut into chunks"):
        whole(DataSet("train", features, lattices, frame_subsampling_factor=FACTOR))
    flat = FlatStartTargets([f"{made_up.path}/fst.scp"], NUM_PDFS)
    with pytest.raises(KaldiError, match="flat-start supervision is of whole utterances"):
        ChunkLoader([DataSet("train", features, flat)], SHAPE, chunk_width="30")
