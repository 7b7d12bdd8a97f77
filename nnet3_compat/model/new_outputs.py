"""New output layers in the place of those of a network: for pdfs of another tree."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from kaldi_bridge.errors import KaldiError
from nnet3_compat.components import Component
from nnet3_compat.components.affine import AffineComponent, LinearComponent, NaturalGradientAffineComponent
from nnet3_compat.components.config_line import ConfigLine
from nnet3_compat.components.nonlinear import LogSoftmaxComponent, SoftmaxComponent
from nnet3_compat.structure.descriptors import NodeRef
from nnet3_compat.structure.nnet import ComponentNode, Nnet, OutputNode


def with_new_outputs(nnet: Nnet, dim: int, names: Collection[str]) -> Nnet:
    """A network whose outputs of these names have ``dim`` columns, from layers of zeros, as Kaldi begins with them.

    Learning rates and the like of the layers stay. Raises KaldiError where an output is no affine or linear layer,
    perhaps with a softmax, of its own.
    """
    made = nnet.copy()
    for output in nnet.nodes:
        if isinstance(output, OutputNode) and output.name in names:
            for name in _layer(nnet, output):
                made.components[name] = _resized(nnet.components[name], dim)
    made.check()
    return made


def _layer(nnet: Nnet, output: OutputNode) -> Iterator[str]:
    """Its components, from the output on."""
    descriptor = output.input
    while True:
        node = nnet.node(descriptor.name) if isinstance(descriptor, NodeRef) else None
        component = nnet.components[node.component] if isinstance(node, ComponentNode) else None
        kinds = AffineComponent | LinearComponent | SoftmaxComponent | LogSoftmaxComponent
        if not isinstance(node, ComponentNode) or not isinstance(component, kinds):
            raise KaldiError(
                f"{output.name} of the network has no layer that could be replaced by one of another dimension: it is "
                f"made of {descriptor}"
            )
        yield node.component
        if component.is_affine:
            return
        descriptor = node.input


def _resized(component: Component, dim: int) -> Component:
    if not isinstance(component, AffineComponent | LinearComponent):
        line = ConfigLine()
        line.parse_line(f"dim={dim}")
        return type(component).init_from_config(line)
    made = component.copy()
    for name in made.PARAMS:
        setattr(made, name, np.zeros((dim, *getattr(made, name).shape[1:]), np.float32))
    if isinstance(made, NaturalGradientAffineComponent | LinearComponent):
        made.rank_out = min(made.rank_out, (dim + 1) // 2)
    return made
