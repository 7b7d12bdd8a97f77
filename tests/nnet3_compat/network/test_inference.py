"""Networks for computing only: what is folded away or passed on, and that the numbers stay the executor's."""

import pytest
import torch

from nnet3_compat.components import set_seed
from nnet3_compat.network.inference import Inference
from nnet3_compat.network.network import Network
from nnet3_compat.network.recurrent_inference import RecurrentInference
from nnet3_compat.structure.nnet import Nnet

RECURRENT = """
input-node name=input dim=4
component name=a type=AffineComponent input-dim=10 output-dim=6
component name=relu type=RectifiedLinearComponent dim=6
component name=trunc type=BackpropTruncationComponent dim=6 {scale}
component name=out type=AffineComponent input-dim=6 output-dim=3
component-node name=a component=a input=Append(input, IfDefined(Offset(trunc, -2)))
component-node name=relu component=relu input=a
component-node name=trunc component=trunc input=relu
component-node name=out component=out input=trunc
output-node name=output input=out
"""
FORWARD = """
input-node name=input dim=4
component name=a type=AffineComponent input-dim=8 output-dim=6
component name=trunc type=BackpropTruncationComponent dim=6 {scale}
component name=relu type=RectifiedLinearComponent dim=6
component name=out type=AffineComponent input-dim=6 output-dim=3
component-node name=a component=a input=Append(Offset(input, -1), input)
component-node name=trunc component=trunc input=a
component-node name=relu component=relu input=trunc
component-node name=out component=out input=relu
output-node name=output input=out
"""


def taken(inference: Inference) -> bool:
    """Whether the truncation component of one of the networks above costs nothing."""
    values = inference.graph.values
    (value,) = (i for i, v in enumerate(values) if v.component == "trunc")
    step = inference.steps[inference.folding.group_of[value]]
    if isinstance(step, RecurrentInference):
        return step.ops[step.group.members.index(value)].alias >= 0
    return value in inference.folding.skipped


def same_outputs(network: Network, inference: Inference) -> bool:
    request = network.request(9)
    inputs, layout = [torch.randn(request.num_inputs, 3, 4)], network.layout(request)
    with torch.no_grad():
        made, expected = inference(inputs, layout)[0], network.executor()(inputs, layout)[0]
    return torch.allclose(made, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("config", [RECURRENT, FORWARD], ids=["recurrent", "forward"])
@pytest.mark.parametrize(("scale", "free"), [("", True), ("scale=0.7", False)])
def test_truncation_of_derivatives_costs_nothing(config: str, scale: str, free: bool) -> None:
    set_seed(1)
    torch.manual_seed(1)
    network = Network.from_nnet(Nnet.from_config(config.format(scale=scale).strip().splitlines()))
    inference = Inference(network.graph(), network.executor())
    assert taken(inference) == free
    assert same_outputs(network, inference)
