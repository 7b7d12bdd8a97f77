"""Chunks on the fly, of made-up data: what is cut, epochs, resuming, workers, several sets, several processes."""

import pickle

import numpy as np
import pytest
import torch

from kaldi_bridge.errors import KaldiError
from steps_pytorch.data.dataset import ChunkShape, DataSet, frame_shift
from steps_pytorch.data.feature_sources import TableFeatures
from steps_pytorch.data.ivectors import OnlineIvectors
from steps_pytorch.data.loader import ChunkLoader
from steps_pytorch.data.normalization import Normalizer
from steps_pytorch.data.targets import PdfTargets, SupervisionTargets
from tests.helpers.made_up_data import DIM, FACTOR, NUM_PDFS, MadeUpData

SHAPE = ChunkShape(5, 4, FACTOR)


@pytest.fixture
def made_up(tmp_path) -> MadeUpData:
    return MadeUpData(tmp_path)


def pdf_targets(made_up) -> PdfTargets:
    return PdfTargets(made_up.pdfs, NUM_PDFS, FACTOR)


def supervision_targets(made_up) -> SupervisionTargets:
    return SupervisionTargets(f"{made_up.path}/supervision.scp", f"{made_up.path}/normalization.fst")


def data_set(made_up, targets=None, name="train", **options) -> DataSet:
    return DataSet(name, TableFeatures(made_up.data), targets, frame_subsampling_factor=FACTOR, **options)


def loader(*datasets, **options) -> ChunkLoader:
    return ChunkLoader(datasets, SHAPE, **{"chunk_width": "30,24", "minibatch_size": "4", **options})


def same(a, b) -> bool:
    """Whether two batches are equal to the last bit."""
    return content(a) == content(b)


def content(batch) -> tuple:
    arrays = [
        None if x is None else (x.shape, x.numpy().tobytes()) for x in (batch.features, batch.pdfs, batch.ivectors)
    ]
    fst = batch.supervision.fst if batch.supervision else None
    graph = None if fst is None else [x.tobytes() for x in (fst.arcs, fst.offsets, fst.finals)]
    return (batch.chunks, batch.num_outputs, batch.dataset, batch.weight, arrays, graph)


def test_a_chunk_has_its_frames_and_targets(made_up):
    """Column 1 of the features counts frames: it says which ones are there."""
    train = data_set(made_up, pdf_targets(made_up), ivectors=OnlineIvectors(made_up.path / "ivectors"))
    seen = set()
    for batch in loader(train, training=False):
        assert batch.features.shape[1:] == (SHAPE.input_frames(batch.num_outputs), DIM)
        assert batch.pdfs.shape == (len(batch.chunks), batch.num_outputs)
        for row, pdfs, ivector, (name, first) in zip(
            batch.features, batch.pdfs, batch.ivectors, batch.chunks, strict=True
        ):
            frames = np.arange(first - 5, first - 5 + len(row)).clip(0, made_up.lengths[name] - 1)
            np.testing.assert_array_equal(row[:, 1], frames)
            begin = first // FACTOR
            np.testing.assert_array_equal(pdfs, made_up.pdfs[name][begin : begin + batch.num_outputs])
            middle = first + batch.num_outputs * FACTOR // 2
            assert ivector.tolist() == [made_up.names.index(name), middle // 10]
            seen.add(name)
    assert seen == set(made_up.names)


def test_training_shifts_frames_at_random(made_up):
    shifts = set()
    for batch in loader(data_set(made_up, pdf_targets(made_up))):
        for row, (_, first) in zip(batch.features, batch.chunks, strict=True):
            inside = first >= 8
            if inside:
                shifts.add(int(row[0, 1]) - (first - 5))
    assert shifts == {-1, 0, 1}
    random = np.random.default_rng(0)
    assert {frame_shift(1, random) for _ in range(20)} == {0}
    assert {frame_shift(2, random) for _ in range(20)} == {0, 1}


def test_alignments_of_the_input_rate_follow_the_shift(made_up):
    frames = {name: np.arange(n) for name, n in made_up.lengths.items()}
    train = data_set(made_up, PdfTargets(frames, 1000, 1))
    for batch in loader(train):
        for row, pdfs, (_, first) in zip(batch.features, batch.pdfs, batch.chunks, strict=True):
            if first >= 8:  # frames before the first one are not told apart
                np.testing.assert_array_equal(pdfs, row[5 : 5 + batch.num_outputs * FACTOR : FACTOR, 1])


@pytest.mark.parametrize("norm_vars", [False, True])
def test_features_are_normalized_by_speaker(made_up, norm_vars):
    normalizer = Normalizer.of_options(f"--norm-means=true --norm-vars={str(norm_vars).lower()}", made_up.data)
    train = data_set(made_up, normalizer=normalizer)
    for batch in loader(train, training=False):
        for row, (name, first) in zip(batch.features, batch.chunks, strict=True):
            own = np.concatenate([rows for n, rows in made_up.features.items() if n[:4] == name[:4]])
            frames = np.arange(first - 5, first - 5 + len(row)).clip(0, made_up.lengths[name] - 1)
            expected = made_up.features[name][frames] - own.mean(0)
            if norm_vars:
                expected /= own.std(0)
            np.testing.assert_allclose(row, expected, atol=1e-3)
    assert Normalizer.of_options("--norm-means=false", made_up.data) is None


def test_supervisions_keep_their_alternatives(made_up):
    """Two pdfs for each frame in the supervision: 2 ** n paths of n frames, at the cost that normalization gives."""
    train = data_set(made_up, supervision_targets(made_up))
    assert train.num_pdfs == NUM_PDFS
    for batch in loader(train):
        supervision = batch.supervision
        assert supervision.num_sequences == len(batch.chunks)
        assert supervision.frames_per_sequence == batch.num_outputs
        paths, best = count_paths(supervision.fst)
        expected = 0.0
        for name, first in batch.chunks:
            pdfs = made_up.pdfs[name][first // FACTOR : first // FACTOR + batch.num_outputs]
            expected += sum(min(p, (p + 1) % NUM_PDFS) / 8 for p in pdfs.tolist())
        assert paths == 2 ** (len(batch.chunks) * batch.num_outputs)
        assert best == pytest.approx(expected, abs=1e-3)


def count_paths(fst) -> tuple[int, float]:
    """The number of paths from the start, and the lowest cost; states are in the order of time."""
    paths, best = [0] * fst.num_states, [np.inf] * fst.num_states
    paths[fst.start], best[fst.start] = 1, 0.0
    total, least = 0, np.inf
    for state in range(fst.num_states):
        for _, _, cost, target in fst.arcs_of(state).tolist():
            paths[target] += paths[state]
            best[target] = min(best[target], best[state] + cost)
        if np.isfinite(fst.finals[state]):
            total, least = total + paths[state], min(least, best[state] + float(fst.finals[state]))
    return total, least


@pytest.mark.parametrize("width", ["30", "30,24", "45,30,24", "24-48"])
def test_every_utterance_is_in_every_epoch(made_up, width):
    """And of its frames no more than a chunk is left out."""
    chunks = loader(data_set(made_up), chunk_width=width)
    for _ in range(3):
        covered = {name: np.zeros(n, bool) for name, n in made_up.lengths.items()}
        widths = set()
        for batch in chunks:
            widths.add(batch.num_outputs * FACTOR)
            for name, first in batch.chunks:
                assert first % FACTOR == 0
                assert first + batch.num_outputs * FACTOR <= made_up.lengths[name] + FACTOR - 1
                covered[name][first : first + batch.num_outputs * FACTOR] = True
        assert all(frames.any() and (~frames).sum() < 24 for frames in covered.values())
    assert min(widths) >= 24
    assert max(widths) <= 48


def test_epochs_differ_and_a_seed_fixes_them(made_up):
    train = data_set(made_up, pdf_targets(made_up))
    one, two, other = loader(train, seed=1), loader(train, seed=1), loader(train, seed=2)
    first, second = list(one), list(one)
    assert one.epoch == 2
    assert all(map(same, first, list(two)))
    assert not all(map(same, first, second))
    assert not all(map(same, first, list(other)))
    valid = loader(train, training=False)
    assert all(map(same, list(valid), list(valid)))


def test_any_number_of_workers_gives_the_same(made_up):
    train = data_set(made_up, supervision_targets(made_up))
    alone = list(loader(train))
    for workers in (1, 2):
        assert all(map(same, alone, loader(train, num_workers=workers)))


@pytest.mark.parametrize("workers", [0, 2])
def test_resuming_goes_on_with_the_next_batch(made_up, workers):
    train = data_set(made_up, pdf_targets(made_up))
    undisturbed = loader(train, seed=3)
    expected = [*undisturbed, *undisturbed]
    killed = loader(train, seed=3, num_workers=workers)
    got, states = [], []
    list_of = iter(killed)
    for _ in range(len(killed)):
        got.append(next(list_of))
        states.append(killed.state_dict())
    for i, state in enumerate(states):
        resumed = loader(train, seed=3)
        resumed.load_state_dict(pickle.loads(pickle.dumps(state)))
        following = next(iter(resumed)) if i + 1 < len(states) else None
        if following is not None:
            assert same(following, expected[i + 1])
    resumed = loader(train, seed=3)
    resumed.load_state_dict(states[-1])
    rest = list(resumed)  # nothing is left of the first epoch
    assert rest == []
    assert all(map(same, [*got, *resumed], expected))


def test_a_state_of_other_data_is_refused(made_up):
    train = data_set(made_up)
    state = loader(train).state_dict()
    for other in (
        loader(train, seed=5),
        loader(train, chunk_width="24"),
        loader(data_set(made_up, utterances=made_up.names[:5])),
    ):
        with pytest.raises(KaldiError, match="not those of the run"):
            other.load_state_dict(state)


def test_processes_share_an_epoch(made_up):
    train = data_set(made_up)
    every = sorted(chunk for batch in loader(train) for chunk in batch.chunks)
    shares = [list(loader(train, rank=rank, world_size=3)) for rank in range(3)]
    assert len({len(share) for share in shares}) == 1
    together = {chunk for share in shares for batch in share for chunk in batch.chunks}
    assert together == set(every)


def test_sets_are_mixed(made_up):
    labeled = data_set(made_up, supervision_targets(made_up), "labeled", utterances=made_up.names[:6], repeat=2)
    unlabeled = data_set(made_up, None, "unlabeled", weight=0.5, repeat=0.5)
    batches = list(loader(labeled, unlabeled))
    of_set = {name: [b for b in batches if b.dataset == name] for name in ("labeled", "unlabeled")}
    assert all(b.is_labeled and b.weight == 1.0 for b in of_set["labeled"])
    assert not any(b.is_labeled for b in of_set["unlabeled"])
    assert all(b.weight == 0.5 for b in of_set["unlabeled"])
    order = [b.dataset for b in batches]
    assert order not in (sorted(order), sorted(order, reverse=True))
    assert {n for b in of_set["labeled"] for n, _ in b.chunks} == set(made_up.names[:6])
    assert len({n for b in of_set["unlabeled"] for n, _ in b.chunks}) == 6


def test_what_cannot_be_used_is_reported(made_up, capsys):
    names = made_up.names
    pdfs = dict(made_up.pdfs)
    del pdfs[names[0]]
    pdfs[names[1]] = np.concatenate([pdfs[names[1]]] * 2)
    pdfs["nobody"] = pdfs[names[2]]
    train = data_set(made_up, PdfTargets(pdfs, NUM_PDFS, FACTOR))
    assert set(train.utterances) == set(names[2:])
    messages = capsys.readouterr().err
    assert f"utterance {names[0]} is left out: features, but no targets" in messages
    assert f"utterance {names[1]} is left out: 38 frames of targets for 57 frames of features" in messages
    assert "1 utterances have targets, but no features: nobody" in messages
    assert "2 of 12 utterances are left out" in messages
    with pytest.raises(KaldiError, match="none of its 12 utterances"):
        data_set(made_up, PdfTargets({"nobody": np.zeros(3)}, NUM_PDFS))


@pytest.mark.parametrize("workers", [0, 2])
def test_chunks_that_turn_out_bad_are_left_out(made_up, capsys, workers):
    """The features of two utterances are not what utt2num_frames and the others say."""
    bad = dict(made_up.features)
    bad[made_up.names[3]] = np.zeros((10, DIM), np.float32)
    bad[made_up.names[4]] = np.zeros((made_up.lengths[made_up.names[4]], DIM + 1), np.float32)
    made_up.write_features(bad)
    chunks = loader(data_set(made_up, pdf_targets(made_up)), num_workers=workers)
    names = {name for batch in chunks for name, _ in batch.chunks}
    assert names == set(made_up.names) - {made_up.names[3], made_up.names[4]}
    messages = capsys.readouterr().err
    assert f"utterance {made_up.names[3]}: features of 10 frames and dimension {DIM} in scp" in messages
    assert f"dimension {DIM + 1} in scp,p:{made_up.data}/feats.scp" in messages
    assert chunks.num_bad >= 2


def test_nothing_long_enough(made_up):
    with pytest.raises(KaldiError, match="every utterance is shorter than the shortest chunk"):
        len(loader(data_set(made_up), chunk_width="600"))
    for wrong in ("", "a", "0", "50-20", "-5"):
        with pytest.raises(KaldiError, match="chunk-width"):
            loader(data_set(made_up), chunk_width=wrong)


def test_batches_are_of_torch(made_up):
    batch = next(iter(loader(data_set(made_up, pdf_targets(made_up)))))
    assert batch.features.dtype == torch.float32
    assert batch.pdfs.dtype == torch.int64
