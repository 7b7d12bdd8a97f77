"""Chunks on the fly against Kaldi's examples of the same utterances and frames, and of its whole experiment's data."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE
from kaldi_bridge.features.frame_store_building import StoreJob, finish_store
from kaldi_bridge.io.sparse import to_dense
from kaldi_bridge.tables import SequentialReader
from nnet3_compat.chain.numerator import numerator
from steps_pytorch.data.data_sets import DataSpec, TargetKind, open_data
from steps_pytorch.data.dataset import Chunk, ChunkShape, DataSet
from steps_pytorch.data.feature_sources import StoredFeatures, TableFeatures
from steps_pytorch.data.ivectors import OnlineIvectors
from steps_pytorch.data.loader import ChunkLoader
from steps_pytorch.data.normalization import Normalizer
from steps_pytorch.data.options import DataOptions
from steps_pytorch.data.targets import PdfTargets, SupervisionTargets
from steps_pytorch.group import Group
from tests.helpers.places import ROOT


@pytest.fixture(scope="module")
def fsdd(reference) -> Path:
    """Paths in its script files are relative to it."""
    before = Path.cwd()
    os.chdir(reference / "fsdd")
    yield reference / "fsdd"
    os.chdir(before)


@pytest.fixture(scope="module")
def supervisions(fsdd, tmp_path_factory) -> SupervisionTargets:
    """Made from Kaldi's lattices by the recipe's step."""
    made = tmp_path_factory.mktemp("supervision")
    step(ROOT / "steps_pytorch" / "make_supervisions.sh", "tri1_lats", "chain_tree", made)
    return SupervisionTargets(str(made / "supervision.scp"), "tdnnf/normalization.fst")


def step(*command) -> str:
    environment = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_chunks_are_those_of_kaldis_examples(fsdd, supervisions):
    """The same utterance and frames: the same features, to within what compression to bytes loses (1/64 of a column's
    range); supervisions of the same pdfs, whose numerator log-probabilities agree to 1e-4 for random outputs."""
    train = DataSet(
        "train",
        TableFeatures("data/train_hires"),
        supervisions,
        ivectors=OnlineIvectors("ivectors_train"),
        frame_subsampling_factor=3,
    )
    ivectors = OnlineIvectors("ivectors_train")
    torch.manual_seed(0)
    same_size = 0
    for count, (key, example) in enumerate(SequentialReader("ark:tdnnf/egs/cegs.1.ark", CHAIN_EXAMPLE), 1):
        utterance, _, first = key.rpartition("-")
        times = example.inputs[0].indexes[:, 1]
        expected = example.outputs[0].supervision
        shape = ChunkShape(-int(times[0]), int(times[-1]) - 3 * (expected.frames_per_sequence - 1), 3)
        piece = train.piece(Chunk(utterance, int(first)), expected.frames_per_sequence, shape, None)

        features = to_dense(example.inputs[0].features)
        span = np.ptp(features, axis=0)
        assert (abs(piece.features - features) <= span / 64 + 1e-3).all()
        rows = [ivectors.at(utterance, frame) for frame in range(int(first) - 14, train.lengths[utterance] + 9, 10)]
        assert min(abs(row - to_dense(example.inputs[1].features)).max() for row in rows) < 1e-4

        made = piece.supervision
        assert (made.label_dim, made.weight) == (expected.label_dim, expected.weight)
        output = torch.randn(expected.frames_per_sequence, 1, expected.label_dim)
        ours, theirs = numerator([made], output), numerator([expected], output)
        assert float(ours[0]) == pytest.approx(float(theirs[0]), rel=1e-4)
        torch.testing.assert_close(ours[1], theirs[1], rtol=0, atol=2e-3)
        same_size += made.fst.num_states == expected.fst.num_states
        if count == 200:
            break
    assert same_size > 0.9 * count  # Kaldi's minimization rounds otherwise


def test_pdfs_of_alignments(fsdd):
    """Of the chain tree, one for each third frame."""
    targets = PdfTargets.of_alignments("chain_tree", step=3)
    train = DataSet("train", TableFeatures("data/train_hires"), targets, frame_subsampling_factor=3)
    assert len(train.utterances) == 406
    assert targets.num_pdfs == 72
    shape = ChunkShape(13, 13, 3)
    counts = np.zeros(72)
    for batch in ChunkLoader([train], shape, training=False):
        counts += np.bincount(batch.pdfs[batch.pdfs >= 0], minlength=72)
        assert (batch.pdfs >= 0).float().mean() > 0.95
    assert (counts > 0).sum() > 60


def test_a_store_of_pdfs_has_the_same(fsdd, tmp_path):
    step(ROOT / "steps_pytorch" / "make_pdfs.sh", "chain_tree", tmp_path)
    stored, read = PdfTargets.of_store(str(tmp_path), 3), PdfTargets.of_alignments("chain_tree", 3)
    assert (stored.lengths, stored.num_pdfs) == (read.lengths, read.num_pdfs)
    for utterance, length in read.lengths.items():
        frames = np.arange(-4, 3 * length + 9, 5)
        np.testing.assert_array_equal(stored.pdfs(utterance, frames), read.pdfs(utterance, frames))
    with pytest.raises(KaldiError, match="not pdfs"):
        StoreJob(tmp_path / "features", 1, "a", "float32").build([("a", lambda: np.zeros((2, 3)))])
        finish_store(tmp_path / "features", 1)
        PdfTargets.of_store(str(tmp_path / "features"))


def test_training_on_recordings(fsdd):
    """By the options of nnet-pytorch-train-model: features on the fly from the recordings are Kaldi's, half of the
    numbers to 0.1 (Kaldi's have dither, and are compressed); perturbations change them in training only."""
    options = DataOptions(
        mfcc_config="conf/mfcc_hires.conf",
        cmvn_opts="--norm-means=true --norm-vars=true",
        alignment_subsampling_factor=3,
        frame_subsampling_factor=3,
        gaussian_snr="10:20",
        time_masks=1,
        speeds="0.9,1.1",
    )
    data = open_data(options, DataSpec("data/train_hires", "chain_tree"), TargetKind(), 0)
    shape = ChunkShape(5, 5, 3)
    table = DataSet(
        "table",
        TableFeatures("data/train_hires"),
        normalizer=Normalizer.of_options(options.cmvn_opts, "data/train_hires"),
        frame_subsampling_factor=3,
    )
    for batch in data.valid_loader(shape, Group()):
        for row, (utterance, first) in zip(batch.features, batch.chunks, strict=True):
            expected = table.piece(Chunk(utterance, first), batch.num_outputs, shape, None).features
            assert np.median(abs(row.numpy() - expected)) < 0.1
    batch = next(iter(data.loader(shape, Group(), 0)))
    row, (utterance, first) = batch.features[0].numpy(), batch.chunks[0]
    clean = table.piece(Chunk(utterance, first), batch.num_outputs, shape, None).features
    assert np.median(abs(row - clean)) > 0.2
    with pytest.raises(KaldiError, match="need --mfcc-config"):
        open_data(DataOptions(volume="0.5:2"), DataSpec("data/train_hires", "chain_tree"), TargetKind(), 0)
    with pytest.raises(KaldiError, match="either stored or computed"):
        open_data(options, DataSpec("data/train_hires", "chain_tree", store="store"), TargetKind(), 0)


def test_the_store_has_the_same_features(fsdd, tmp_path):
    """Built by the recipe's step, from feats.scp and from the recordings (Kaldi's dither is off in neither: 1e-2)."""
    data = tmp_path / "data"
    data.mkdir()
    for name in ("utt2spk", "spk2utt", "text", "utt2num_frames", "feats.scp", "wav.scp", "cmvn.scp"):
        text = (fsdd / "data" / "train_hires" / name).read_text()
        text = text.replace(" data/", f" {fsdd}/data/").replace("../../corpus", str(fsdd.parents[1] / "corpus"))
        (data / name).write_text("".join(line + "\n" for line in text.splitlines()[:40]))
    make_memmap = ROOT / "steps_pytorch" / "make_memmap.sh"
    step(make_memmap, "--nj", "2", data, tmp_path / "store")
    step(
        make_memmap,
        "--nj",
        "2",
        "--dtype",
        "float16",
        "--mfcc-config",
        "conf/mfcc_hires.conf",
        data,
        tmp_path / "audio",
    )
    table, store = TableFeatures(str(data)), StoredFeatures(str(tmp_path / "store"))
    computed = StoredFeatures(str(tmp_path / "audio"))
    assert store.lengths == table.lengths == computed.lengths
    for utterance, length in table.lengths.items():
        expected = table.frames(utterance, -5, length + 9, None)
        np.testing.assert_array_equal(store.frames(utterance, -5, length + 9, None), expected)
        difference = abs(computed.frames(utterance, -5, length + 9, None) - expected)
        assert np.median(difference) < 0.5
