"""Affine maps within recurrences, cut in two, so that most of their work is one product over all frames.

    W [x(t), h(t - 3)] + b   becomes   (W_x x(t) + b) + W_h h(t - 3)

where x is no part of the recurrence: the first product is outside of it. Nothing else changes, nor at which times there
is something to compute.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnet3_compat.components.affine import LinearComponent
from nnet3_compat.components.backprop import NoOpComponent
from nnet3_compat.components.base import Component
from nnet3_compat.components.fixed import FixedAffineComponent
from nnet3_compat.folded.component_functions import affine_of
from nnet3_compat.structure.descriptors import Append, Descriptor, NodeRef, Sum
from nnet3_compat.structure.graph import Graph, Leaf, build_graph, collect_leaves
from nnet3_compat.structure.nnet import ComponentNode, Nnet, Node


def with_outer_maps(nnet: Nnet) -> Nnet:
    """A network that computes the same and shares other components with the given one; that one, if nothing is cut.

    Raises:
        KaldiError: a descriptor of the network is not one that Kaldi accepts.
    """
    inner = dict(_inner_parts(build_graph(nnet), nnet.components))
    if not inner:
        return nnet
    nodes: list[Node] = []
    components = dict(nnet.components)
    for node in nnet.nodes:
        if isinstance(node, ComponentNode) and isinstance(node.input, Append) and node.name in inner:
            nodes += _cut(node, node.input, inner[node.name], nnet, components)
        else:
            nodes.append(node)
    made = Nnet(nodes, components)
    made.precision = nnet.precision
    return made


def _inner_parts(graph: Graph, components: dict[str, Component]) -> Iterator[tuple[str, list[bool]]]:
    """(node, per part of its input whether it reads the recurrence) of affine maps that read both."""
    for group in graph.groups:
        inside = set(group.members) if group.direction != 0 else set()
        for i in inside:
            value = graph.values[i]
            if value.component is None or not components[value.component].is_affine or value.tap_rule is not None:
                continue
            reads: list[bool] = []
            for _, part in graph.values[value.taps[0].source].parts:
                leaves: list[Leaf] = []
                collect_leaves(part, leaves)
                reads.append(any(leaf.source in inside for leaf in leaves))
            if any(reads) and not all(reads):
                yield value.node, reads


def _cut(
    node: ComponentNode, given: Append, inner: list[bool], nnet: Nnet, components: dict[str, Component]
) -> Iterator[Node]:
    """The two maps, whose components are added to those that there are, and their sum under the node's name."""
    weight, bias = affine_of(nnet.components[node.component])
    columns = np.repeat(inner, [nnet.descriptor_dim(part) for part in given.args])
    bias = np.zeros_like(weight[:, 0]) if bias is None else bias
    names = []
    for ending, wanted in (("outer", False), ("inner", True)):
        some = np.ascontiguousarray(weight[:, columns == wanted])
        name = f"{node.name}:{ending}"  # a name that no file may have
        components[name] = (
            LinearComponent(params=some) if wanted else FixedAffineComponent(linear_params=some, bias_params=bias)
        )
        yield ComponentNode(name, name, _append([p for p, i in zip(given.args, inner, strict=True) if i == wanted]))
        names.append(name)
    total = f"{node.name}:sum"
    components[total] = NoOpComponent(dim=len(bias))
    yield ComponentNode(node.name, total, Sum(tuple(NodeRef(name) for name in names)))


def _append(parts: list[Descriptor]) -> Descriptor:
    return parts[0] if len(parts) == 1 else Append(tuple(parts))
