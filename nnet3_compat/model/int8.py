"""Models in a quarter of the space: as Kaldi's files, but for the matrices of parameters, which are in eight bits.

``<Nnet3Int8>`` stands in the place of ``<Nnet3>``. Before it a ``.mdl`` has Kaldi's transition model, so that Kaldi's
programs that want only that read it. Whatever reads models here reads these.
"""

from __future__ import annotations

import copy

import numpy as np

from kaldi_bridge.io import basic_io
from kaldi_bridge.io.streams import open_output
from nnet3_compat.components.affine import AffineComponent, LinearComponent
from nnet3_compat.components.base import Component
from nnet3_compat.components.int8_matrix import Int8Matrix
from nnet3_compat.components.nonlinear import NonlinearComponent
from nnet3_compat.components.tdnn import TdnnComponent
from nnet3_compat.components.time_height_convolution import TimeHeightConvolutionComponent
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.orphans import remove_orphan_components, remove_orphan_nodes
from nnet3_compat.structure.nnet import Nnet, OutputNode

MATRICES = ("linear_params", "params")
ROUNDED = (AffineComponent, LinearComponent, TdnnComponent, TimeHeightConvolutionComponent)
ONLY_FOR_TRAINING = "output-xent"


def write_int8_model(wxfilename: str, model: Nnet | AmNnet) -> None:
    """Writes a model, whole or not at all. Raises KaldiError for parameters that are not finite."""
    rounded: Nnet | AmNnet
    if isinstance(model, AmNnet):
        rounded = copy.copy(model)
        rounded.nnet = _rounded(model.nnet)
    else:
        rounded = _rounded(model)
    with open_output(wxfilename) as stream:
        basic_io.write_header(stream, True)
        rounded.write(stream, True, "int8")


def _rounded(nnet: Nnet) -> Nnet:
    """To be written only: parameters of affine maps and convolutions are Int8Matrix. What training alone needs is left
    out: chain models' cross-entropy output, and statistics of activations."""
    outputs = [node for node in nnet.nodes if isinstance(node, OutputNode)]
    made = Nnet([n for n in nnet.nodes if n.name != ONLY_FOR_TRAINING or len(outputs) == 1], nnet.components)
    remove_orphan_nodes(made)
    remove_orphan_components(made)
    made.components = {name: _rounded_component(component) for name, component in made.components.items()}
    return made


def _rounded_component(component: Component) -> Component:
    made = copy.copy(component)
    for name in MATRICES:
        if name in getattr(component, "PARAMS", ()) and isinstance(component, ROUNDED):
            setattr(made, name, Int8Matrix.of(getattr(component, name)))
    if isinstance(made, NonlinearComponent):
        made.value_sum = made.deriv_sum = made.oderiv_sumsq = np.zeros(0)
        made.count = made.oderiv_count = 0.0
    return made
