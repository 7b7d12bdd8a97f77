"""Readying a network for test time: fixed statistics, no dropout, fewer components (CollapseModel, nnet-utils.cc)."""

from __future__ import annotations

from dataclasses import replace

from kaldi_bridge import log
from nnet3_compat.components.collapse import collapse
from nnet3_compat.model.orphans import remove_orphan_components, remove_orphan_nodes
from nnet3_compat.model.whole_network import set_test_mode
from nnet3_compat.structure.descriptors import Append, Descriptor, NodeRef, Offset, normalize
from nnet3_compat.structure.nnet import ComponentNode, Nnet

MAX_PASSES = 10


def prepare_for_test(nnet: Nnet) -> None:
    """Test mode for batch norm and dropout; successive components joined where that computes the same."""
    set_test_mode(nnet, batchnorm=True, dropout=True)
    before = len(nnet.components)
    for _ in range(MAX_PASSES):
        if not any([_collapse_node(nnet, i) for i in range(len(nnet.nodes))]):
            break
    added = len(nnet.components) - before
    remove_orphan_nodes(nnet)
    remove_orphan_components(nnet)
    removed = before + added - len(nnet.components)
    if added or removed:
        log.info(f"Added {added} components, removed {removed}")


def _collapse_node(nnet: Nnet, index: int) -> bool:
    """Joins a node's component with the one that its whole input comes from; whether it could."""
    node = nnet.nodes[index]
    if not isinstance(node, ComponentNode):
        return False
    parts = node.input.args if isinstance(node.input, Append) else (node.input,)
    sources = [_source(part, nnet) for part in parts]
    names = {source.component for source in sources if source is not None}
    if None in sources or len(names) != 1:
        return False
    first = names.pop()
    joined = collapse(nnet.components[first], nnet.components[node.component])
    if joined is None:
        return False
    name = f"{first}.{node.component}"
    if name not in nnet.components:
        nnet.components[name] = joined
    inputs = [_put_inside(part, source) for part, source in zip(parts, sources, strict=True) if source is not None]
    nnet.nodes[index] = replace(node, component=name, input=normalize(Append(tuple(inputs))))
    return True


def _source(part: Descriptor, nnet: Nnet) -> ComponentNode | None:
    """The component node that a part of a descriptor reads, at any time offset; None for anything else."""
    inner = part.arg if isinstance(part, Offset) else part
    node = nnet.node(inner.name) if isinstance(inner, NodeRef) else None
    return node if isinstance(node, ComponentNode) else None


def _put_inside(part: Descriptor, source: ComponentNode) -> Descriptor:
    return replace(part, arg=source.input) if isinstance(part, Offset) else source.input
