"""Steps that training computes as one: the numbers of the steps one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.training.options import TrainerOptions
from nnet3_compat.training.rules import TrainingRules

LINES = """
input-node name=input dim=6
component name=first.affine type=NaturalGradientAffineComponent input-dim=6 output-dim=20
component-node name=first.affine component=first.affine input=input
component name=first.relu type=RectifiedLinearComponent dim=20 self-repair-scale=0.5
component-node name=first.relu component=first.relu input=first.affine
component name=first.norm type=BatchNormComponent dim=20 target-rms=0.7
component-node name=first.norm component=first.norm input=first.relu
component name=linear type=TdnnComponent input-dim=20 output-dim=4 use-bias=false time-offsets=-3,0
component-node name=linear component=linear input=first.norm
component name=affine type=TdnnComponent input-dim=4 output-dim=20 time-offsets=0,3
component-node name=affine component=affine input=linear
component name=relu type=RectifiedLinearComponent dim=20 self-repair-scale=0.5
component-node name=relu component=relu input=affine
component name=norm type=BatchNormComponent dim=20
component-node name=norm component=norm input=relu
component name=dropout type=GeneralDropoutComponent dim=20 dropout-proportion=0.2 continuous=true
component-node name=dropout component=dropout input=norm
component name=noop type=NoOpComponent dim=20
component-node name=noop component=noop input=Sum(Scale(0.66, first.norm), dropout)
component name=last type=LinearComponent input-dim=20 output-dim=3
component-node name=last component=last input=noop
output-node name=output input=last
""".strip().splitlines()
SUM = "Sum(Scale(0.66, first.norm), dropout)"
SUMS = [SUM, "Sum(dropout, first.norm)"]


def trained(nnet: Nnet, factor: int, threads: int, joined: bool) -> tuple[Tensor, Nnet]:
    """The outputs of two minibatches, and the network after them."""
    network = Network.from_nnet(nnet)
    network.train()
    rules = TrainingRules(network, TrainerOptions(max_param_change=0.0), lambda what, probability: True)
    executor = network.executor(("output",))
    assert len(executor.joined) == 2
    if not joined:
        executor.joined = {}
    torch.manual_seed(1)
    features = torch.randn(5, 220, 6) + 0.3
    derivatives = 0.05 * torch.randn(2, 5, 220, 3)
    before, outputs = torch.get_num_threads(), []
    torch.set_num_threads(threads)
    try:
        for derivative in derivatives:
            rules.before_minibatch()
            output: Any = network(features, factor=factor)
            outputs.append(output.detach())
            output.backward(derivative[:, : output.shape[1]])
            rules.update(5)
    finally:
        torch.set_num_threads(before)
    return torch.cat(outputs), network.to_nnet()


@pytest.mark.parametrize("added", SUMS)
@pytest.mark.parametrize("factor", [1, 3])
def test_as_one_by_one(added: str, factor: int) -> None:
    torch.manual_seed(0)
    nnet = Nnet.from_config([line.replace(SUM, added) for line in LINES])
    one, together = (trained(nnet, factor, threads, joined) for threads, joined in ((1, False), (2, True)))
    torch.testing.assert_close(together[0], one[0], rtol=1e-3, atol=1e-4)
    for name, component in one[1].components.items():
        for field in (*getattr(component, "PARAMS", ()), *getattr(component, "STATS", ())):
            ours, theirs = (np.asarray(getattr(nnet.components[name], field)) for nnet in (together[1], one[1]))
            np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4, err_msg=f"{name} {field}")


def test_a_graph_that_is_kept_goes_back_twice() -> None:
    torch.manual_seed(0)
    network = Network.from_nnet(Nnet.from_config(LINES)).train()
    features = torch.randn(2, 60, 6, requires_grad=True)
    output: Any = network(features)
    gradients = []
    for keep in (True, False):
        output.sum().backward(retain_graph=keep)
        assert features.grad is not None
        gradients.append(features.grad)
        features.grad = None
    torch.testing.assert_close(*gradients)
