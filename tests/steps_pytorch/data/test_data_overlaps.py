"""Frames where chunks of an utterance overlap count once in all."""

from collections import defaultdict

import numpy as np
import pytest
import torch

from kaldi_bridge.fsts.fst import write_fst
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.options import ChainOptions
from steps_pytorch.data.dataset import ChunkShape, DataSet
from steps_pytorch.data.feature_sources import TableFeatures
from steps_pytorch.data.loader import ChunkLoader
from steps_pytorch.data.targets import PdfTargets, SupervisionTargets
from steps_pytorch.models.base import ModelOutput
from steps_pytorch.objectives.cross_entropy import CrossEntropy
from steps_pytorch.objectives.lfmmi import Lfmmi
from tests.helpers.made_up_data import FACTOR, NUM_PDFS, MadeUpData, any_pdfs
from tests.helpers.made_up_training import Affine, make_batch


@pytest.fixture
def made_up(tmp_path) -> MadeUpData:
    return MadeUpData(tmp_path)


@pytest.mark.parametrize(("chunk_width", "most"), [("30", 2), ("45,30", 2), ("24-60", 1)])
def test_the_weights_of_each_frame_add_up_to_one(made_up, chunk_width, most):
    """``most``: chunks that have a frame; widths of a range fit utterances without overlaps."""
    targets = PdfTargets(made_up.pdfs, NUM_PDFS, FACTOR)
    train = DataSet("train", TableFeatures(made_up.data), targets, frame_subsampling_factor=FACTOR)
    shape = ChunkShape(frame_subsampling_factor=FACTOR)
    chunks = ChunkLoader([train], shape, chunk_width=chunk_width, minibatch_size="4")
    sums, times = defaultdict(float), defaultdict(int)
    for batch in chunks:
        weights = batch.deriv_weights
        if weights is None:
            weights = torch.ones(len(batch.chunks), batch.num_outputs)
        assert weights.shape == batch.pdfs.shape
        for (name, first), row in zip(batch.chunks, weights.tolist(), strict=True):
            for i, weight in enumerate(row):
                sums[name, first // FACTOR + i] += weight
                times[name, first // FACTOR + i] += 1
    assert set(sums.values()) == {1.0}
    assert max(times.values()) == most


def test_whole_utterances_have_none(made_up):
    train = DataSet("train", TableFeatures(made_up.data), None)
    assert all(b.deriv_weights is None for b in ChunkLoader([train], ChunkShape(), chunk_width="-1"))


def test_lfmmi_weighs_derivatives(made_up):
    """Not the values; as nnet3-chain-train does with the deriv weights of examples."""
    targets = SupervisionTargets(f"{made_up.path}/supervision.scp", f"{made_up.path}/normalization.fst")
    train = DataSet("train", TableFeatures(made_up.data), targets, frame_subsampling_factor=FACTOR)
    chunks = ChunkLoader([train], ChunkShape(frame_subsampling_factor=FACTOR), chunk_width="30", minibatch_size="8")
    batch = next(b for b in chunks if b.deriv_weights is not None)
    write_fst(f"{made_up.path}/den.fst", any_pdfs())
    objective = Lfmmi(DenominatorGraph.read(f"{made_up.path}/den.fst", NUM_PDFS), ChainOptions(xent_regularize=0.1))

    def evaluate(weights):
        batch.deriv_weights = weights
        random = torch.Generator().manual_seed(0)
        shape = (len(batch.chunks), batch.num_outputs, NUM_PDFS)
        output = torch.randn(shape, generator=random).requires_grad_()
        xent = torch.randn(shape, generator=random).log_softmax(-1).detach().requires_grad_()
        loss = objective.of_output(ModelOutput(output, xent), batch)
        loss.loss.backward()
        return loss, output.grad, xent.grad

    weights = batch.deriv_weights
    weighted, plain = evaluate(weights), evaluate(None)
    assert weighted[0].terms == plain[0].terms
    for with_weights, without in zip(weighted[1:], plain[1:], strict=True):
        torch.testing.assert_close(with_weights, without * weights.unsqueeze(-1), rtol=1e-6, atol=1e-9)


def test_cross_entropy_of_chunks_is_that_of_the_utterance():
    """Loss times frames, derivatives, and counts of targets: frames 4 and 5 of ten are in both chunks."""
    whole = make_batch(Affine(), 0, sequences=1, num_outputs=10)
    output = torch.randn(1, 10, 4, requires_grad=True)
    whole.pdfs[0, 7] = -1
    parts = [slice(0, 6), slice(4, 10)]
    cut = make_batch(Affine(), 0, sequences=2)
    cut.pdfs = torch.cat([whole.pdfs[:, part] for part in parts])
    cut.deriv_weights = torch.tensor([[1, 1, 1, 1, 0.5, 0.5], [0.5, 0.5, 1, 1, 1, 1]])
    made = []
    for batch, given in ((whole, output), (cut, torch.cat([output[:, part] for part in parts]))):
        objective = CrossEntropy(4)
        loss = objective.of_output(ModelOutput(given, None), batch)
        assert loss.weight == 9.0
        (derivative,) = torch.autograd.grad(loss.loss * loss.weight, output)
        made.append((loss, derivative, objective.target_counts))
    (a, one, counts), (b, other, same) = made
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(a.loss.item(), b.loss.item(), rtol=1e-6)
    assert a.terms["accuracy"].total == b.terms["accuracy"].total
    assert torch.equal(counts, same)
