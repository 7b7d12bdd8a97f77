"""Training goes on after minibatches from which nothing can be learned, and no parameter ever is a NaN."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE, ChainExample
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.io.sparse import to_dense
from kaldi_bridge.tables import SequentialReader
from nnet3_compat.chain import ChainOptions, DenominatorGraph
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.training.objectives import ChainTraining
from nnet3_compat.training.options import TrainerOptions
from nnet3_compat.training.trainer import Trainer


def example(folder: Path) -> ChainExample:
    with SequentialReader(f"ark:{folder}/one.cegs", CHAIN_EXAMPLE) as examples:
        return next(iter(examples))[1]


def without_numbers(folder: Path) -> ChainExample:
    made = example(folder)
    for part in made.inputs:
        part.features = np.full_like(to_dense(part.features), np.nan)
    return made


def without_paths(folder: Path) -> ChainExample:
    """No path of a sequence is as long as its chunk."""
    made = example(folder)
    supervision = made.outputs[0].supervision
    supervision.fst = None
    supervision.e2e_fsts = [Fst.from_arcs(0, {1: 0.0}, [(0, 1, 1, 0.0, 1)])] * supervision.num_sequences
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("useless", "optimizer"),
    [(without_numbers, "natural-gradient"), (without_paths, "natural-gradient"), (without_numbers, "adam")],
)
def test_training_goes_on(
    reference: Path, useless: Callable[[Path], ChainExample], optimizer: str, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = reference / "one_step"
    nnet = read_nnet(str(folder / "start.raw"))
    graph = DenominatorGraph.read(str(folder / "den.fst"), nnet.node_dim("output"))
    objective = ChainTraining(nnet, graph, ChainOptions(leaky_hmm_coefficient=0.1, xent_regularize=0.1))
    trainer = Trainer(nnet, objective, TrainerOptions(optimizer=optimizer, store_component_stats=False))
    trainer.train(example(folder))
    parameters = dict(trainer.network.named_parameters())
    capfd.readouterr()
    for minibatch, learned in ((useless(folder), False), (example(folder), True)):
        before = {name: parameter.detach().clone() for name, parameter in parameters.items()}
        trainer.train(minibatch)
        assert ("setting it to -10 per frame" in capfd.readouterr().err) != learned
        assert all(parameter.isfinite().all() for parameter in parameters.values())
        if learned:
            name = "components.output_affine.linear_params"
            assert not parameters[name].equal(before[name])
    assert trainer.report()
