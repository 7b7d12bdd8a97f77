"""Data sets side by side: each with chunks, minibatches, context and normalization of its own; how they are mixed."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from kaldi_bridge.errors import KaldiError
from steps_pytorch.data.data_sets import Data, DataSpec, TargetKind, open_data
from steps_pytorch.data.dataset import Chunking, ChunkShape
from steps_pytorch.data.options import DataOptions
from steps_pytorch.group import Group
from steps_pytorch.objectives.base import outputs_of
from tests.helpers.made_up_data import DIM, FACTOR, MadeUpData
from tests.helpers.made_up_training import Affine

SHAPE = ChunkShape(6, 4, FACTOR)


@pytest.fixture
def made(tmp_path: Path) -> MadeUpData:
    return MadeUpData(tmp_path)


def opened(made: MadeUpData, own: str = "", **options: str | int) -> Data:
    """The made-up set, and the same once more, unlabeled."""
    (made.path / "more").write_text(f"name=unlabeled data={made.data} {own}\n")
    fixed = {"more_data": f"{made.path}/more", "chunk_width": "30", "minibatch_size": "4", "num_workers": 0}
    run = DataOptions(**{**fixed, **options})
    first = DataSpec(str(made.data), str(made.path))
    return open_data(run, first, TargetKind(f"{made.path}/normalization.fst"), 0)


def batches(data: Data, shape: ChunkShape = SHAPE) -> list:
    return list(data.loader(shape, Group(), 0))


def test_widths_and_sizes_of_its_own(made: MadeUpData) -> None:
    """As in semi-supervised training with short unlabeled chunks."""
    found = batches(opened(made, "chunk-width=18,12 minibatch_size=2"))
    shapes = {b.dataset: set() for b in found}
    for b in found:
        shapes[b.dataset].add((b.num_outputs * FACTOR, len(b.chunks)))
    assert {width for width, _ in shapes["train"]} == {30}
    assert max(size for _, size in shapes["train"]) == 4
    assert {width for width, _ in shapes["unlabeled"]} <= {18, 12}
    assert max(size for _, size in shapes["unlabeled"]) == 2


def test_normalization_of_its_own(made: MadeUpData) -> None:
    found = batches(opened(made, "cmvn-opts=--norm-means=true"))
    firsts = {
        name: torch.cat([b.features[..., 1].flatten() for b in found if b.dataset == name])
        for name in ("train", "unlabeled")
    }
    assert firsts["train"].min() == 0  # a number of a frame
    assert firsts["unlabeled"].min() < -10


def test_context_of_its_own(made: MadeUpData) -> None:
    """More context than the model needs: its further outputs are cut off."""
    found = batches(opened(made, "left-context=12 right_context=9"))
    model = Affine()
    model.left_context, model.right_context = 1, 1
    plain = {b.dataset: b for b in batches(opened(made, "left-context=7 right-context=6"), ChunkShape(1, 1, FACTOR))}
    for b in found:
        extra = (12 - 6) + (9 - 4) if b.dataset == "unlabeled" else 0
        assert b.features.shape[1] == SHAPE.input_frames(b.num_outputs) + extra
        assert b.first_output == (2 if b.dataset == "unlabeled" else 0)
        for row, (_, first) in zip(b.features, b.chunks, strict=True):
            if first >= 14:
                assert first - int(row[0, 1]) in [(12 if extra else 6) + shift for shift in (-1, 0, 1)]
    wide = plain["unlabeled"]
    features = torch.nn.functional.pad(wide.features, (0, 1))  # Affine's features have one number more
    wide.features = features
    made_of_all = model(features).output
    assert made_of_all.shape[1] > wide.num_outputs
    torch.testing.assert_close(
        outputs_of(model, wide).output, made_of_all[:, wide.first_output : wide.first_output + wide.num_outputs]
    )
    assert wide.features.shape[2] == DIM + 1


@pytest.mark.parametrize("own", ["left-context=3", "left-context=7", "right-context=2"])
def test_contexts_that_do_not_do(made: MadeUpData, own: str) -> None:
    with pytest.raises(KaldiError, match="data set unlabeled: a context of .* does not do for a model"):
        batches(opened(made, own))
    with pytest.raises(KaldiError, match="no fewer"):
        Chunking(left_context=5).shape_for(SHAPE, "x")


def test_one_of_each_set_in_turn(made: MadeUpData) -> None:
    """The smaller set begins anew until the larger one is through."""
    data = opened(made, "minibatch-size=2", mixing="alternate")
    found = batches(data)
    assert all(a.dataset != b.dataset for a, b in pairwise(found))
    plain = batches(opened(made, "minibatch-size=2"))
    count = {name: sum(b.dataset == name for b in plain) for name in ("train", "unlabeled")}
    assert count["unlabeled"] > count["train"]
    assert len(found) == 2 * count["unlabeled"]
    chunks = [chunk for b in found if b.dataset == "unlabeled" for chunk in b.chunks]
    assert len(set(chunks)) == len(chunks)  # a pass through it, no chunk twice


@pytest.mark.parametrize("mixing", ["random", "alternate"])
@pytest.mark.parametrize("number", [3, 200])
def test_a_number_of_minibatches_is_an_epoch(made: MadeUpData, mixing: str, number: int) -> None:
    loader = opened(made, mixing=mixing, minibatches_per_epoch=number).loader(SHAPE, Group(), 0)
    first, second = list(loader), list(loader)
    assert len(first) == len(second) == number
    assert [b.chunks for b in first] != [b.chunks for b in second]
    assert loader.epochs == 2.0


def test_without_new_options_epochs_are_as_before(made: MadeUpData) -> None:
    """The order of a seed is part of what a run is."""
    data = opened(made)
    plan = data.loader(SHAPE, Group(), 0)._batches()
    assert len(plan) == sum(
        int(np.ceil(len([p for q in plan if q.dataset == s for p in q.firsts]) / 4)) for s in range(2)
    )


def test_data_to_validate_on(made: MadeUpData, tmp_path: Path) -> None:
    other = MadeUpData(tmp_path / "dev", count=3)
    data = opened(made, valid_data=f"data={other.data} targets={other.path}")
    assert data.valid.utterances == other.names
    assert data.train[0].utterances == made.names
    batch = next(iter(data.valid_loader(SHAPE, Group())))
    assert batch.dataset == "valid"
    assert batch.is_labeled
    with pytest.raises(KaldiError, match="data to validate on need targets"):
        opened(made, valid_data=f"data={other.data}")


def test_what_is_no_mixing(made: MadeUpData) -> None:
    with pytest.raises(KaldiError, match="--mixing=even must be one of random, alternate"):
        batches(opened(made, mixing="even"))
