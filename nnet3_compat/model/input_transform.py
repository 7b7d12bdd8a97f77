"""A transform of the features as the first part of a network."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from nnet3_compat.components.fixed import FixedBiasComponent, FixedScaleComponent
from nnet3_compat.model.edits import rename_node
from nnet3_compat.structure.descriptors import NodeRef
from nnet3_compat.structure.nnet import ComponentNode, InputNode, Nnet, Node

SCALED, TRANSFORMED = "input-scaled", "input-transformed"


def transform_input(nnet: Nnet, scale: np.ndarray, offset: np.ndarray) -> None:
    """All that read the input read scale * input + offset from then on; both are [input dim].

    Raises KaldiError where dimensions differ, or the network has such a transform already.
    """
    dim = nnet.input_dim()
    if not (dim == scale.size == offset.size):
        raise KaldiError(f"a transform of {scale.size} dimensions for a network whose input has {dim}")
    rename_node(nnet, "input", TRANSFORMED)
    scaling, adding = FixedScaleComponent(), FixedBiasComponent()
    scaling.scales, adding.bias = scale.astype(np.float32), offset.astype(np.float32)
    nnet.components = {SCALED: scaling, TRANSFORMED: adding, **nnet.components}
    first: list[Node] = [
        InputNode("input", dim),
        ComponentNode(SCALED, SCALED, NodeRef("input")),
        ComponentNode(TRANSFORMED, TRANSFORMED, NodeRef(SCALED)),
    ]
    nnet.nodes = [n for node in nnet.nodes for n in (first if node.name == TRANSFORMED else [node])]
    nnet.check()
