"""New output layers in the place of those of a network."""

from __future__ import annotations

import numpy as np
import pytest

from kaldi_bridge.errors import KaldiError
from nnet3_compat.model.new_outputs import with_new_outputs
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.xconfig.nnet import nnet_of_xconfig

LAYERS = [
    "input dim=3 name=input",
    "relu-batchnorm-layer name=tdnn1 dim=6 input=Append(-1,0,1)",
    "output-layer name=output include-log-softmax=false dim=4",
    "output-layer name=output-xent input=tdnn1 dim=4 learning-rate-factor=5.0 l2-regularize=0.25",
]


@pytest.fixture
def nnet() -> Nnet:
    return nnet_of_xconfig(LAYERS)


def test_both_outputs(nnet: Nnet) -> None:
    """As output-layer begins them, with zeros; the softmax gets the new dimension, all else is the same."""
    made = with_new_outputs(nnet, 9, ("output", "output-xent"))
    assert made.output_dim() == made.output_dim("output-xent") == 9
    assert nnet.output_dim() == 4
    for name in ("output.affine", "output-xent.affine"):
        layer = made.components[name]
        assert layer.linear_params.shape == (9, 6) and layer.bias_params.shape == (9,)
        assert not layer.linear_params.any() and not layer.bias_params.any()
        assert layer.rank_out == 2  # at most half of the smaller dimension there was
    assert made.components["output-xent.affine"].learning_rate_factor == 5.0
    assert made.components["output-xent.affine"].l2_regularize == 0.25
    kept = "tdnn1.affine"
    np.testing.assert_array_equal(made.components[kept].linear_params, nnet.components[kept].linear_params)


def test_others_stay(nnet: Nnet) -> None:
    made = with_new_outputs(nnet, 9, ("output",))
    assert (made.output_dim(), made.output_dim("output-xent")) == (9, 4)


@pytest.mark.parametrize("source", ["Sum(output.affine, output.affine)", "tdnn1.batchnorm"])
def test_outputs_without_a_layer_of_their_own(nnet: Nnet, source: str) -> None:
    nnet.read_config([f"output-node name=output input={source}"])
    with pytest.raises(KaldiError, match="output of the network has no layer that could be replaced"):
        with_new_outputs(nnet, 9, ("output",))


def test_a_layer_that_others_read(nnet: Nnet) -> None:
    nnet.read_config(
        [
            "component name=more.affine type=AffineComponent input-dim=4 output-dim=4",
            "component-node name=more.affine component=more.affine input=output.affine",
            "output-node name=output-more input=more.affine",
        ]
    )
    with pytest.raises(KaldiError, match="Dimension mismatch"):
        with_new_outputs(nnet, 9, ("output",))
