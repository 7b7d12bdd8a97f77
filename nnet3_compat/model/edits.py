"""Edits of a network, one a line: ``remove-orphans``, ``set-learning-rate name=* learning-rate=0.01`` ...

The directives of Kaldi's ReadEditConfig (nnet3/nnet-utils.h).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from nnet3_compat.components import UpdatableComponent
from nnet3_compat.components.affine import AffineComponent
from nnet3_compat.components.config_line import ConfigLine, is_valid_name, read_config_lines
from nnet3_compat.components.dropout import DropoutProportionComponent
from nnet3_compat.components.fixed import FixedAffineComponent
from nnet3_compat.components.low_rank import factorize, reduce_rank
from nnet3_compat.model.orphans import remove_orphan_components, remove_orphan_nodes
from nnet3_compat.model.whole_network import components_like, matches
from nnet3_compat.structure.descriptors import NodeRef
from nnet3_compat.structure.nnet import ComponentNode, DimRangeNode, Nnet, Node, OutputNode


def edit(nnet: Nnet, lines: Iterable[str]) -> None:
    """Applies each line to the network, in order. Raises KaldiError naming the line."""
    for text in read_config_lines(lines):
        line = ConfigLine(text)
        directive = _DIRECTIVES.get(line.first_token)
        if directive is None:
            raise KaldiError(
                f"Directive '{line.first_token}' is not supported in an edit; known are {', '.join(_DIRECTIVES)}"
            )
        directive(nnet, line)
        if line.has_unused_values():
            raise KaldiError(f"Could not interpret '{line.unused_values()}' in edit config line {line.whole_line}")


def _need(line: ConfigLine, key: str, kind: type = str) -> Any:
    value = line.get_value(key, kind)
    if value is None:
        raise KaldiError(f"expected {key}=... in the edit: {line.whole_line}")
    return value


def _pattern(line: ConfigLine) -> str:
    return line.get_value("name") or "*"


def _convert_to_fixed_affine(nnet: Nnet, line: ConfigLine) -> None:
    changed = 0
    for name, component in components_like(nnet, _pattern(line)).items():
        if isinstance(component, AffineComponent):
            nnet.components[name] = FixedAffineComponent(
                linear_params=component.linear_params, bias_params=component.bias_params
            )
            changed += 1
    log.info(f"Converted {changed} components to FixedAffineComponent.")


def _remove_orphan_nodes(nnet: Nnet, line: ConfigLine) -> None:
    remove_orphan_nodes(nnet, bool(line.get_value("remove-orphan-inputs", bool)))


def _remove_orphan_components(nnet: Nnet, line: ConfigLine) -> None:
    remove_orphan_components(nnet)


def _remove_orphans(nnet: Nnet, line: ConfigLine) -> None:
    _remove_orphan_nodes(nnet, line)
    remove_orphan_components(nnet)


def _each_updatable(nnet: Nnet, line: ConfigLine, change: Callable[[UpdatableComponent], None]) -> int:
    found = [c for c in components_like(nnet, _pattern(line)).values() if isinstance(c, UpdatableComponent)]
    for component in found:
        change(component)
    return len(found)


def _set_learning_rate(nnet: Nnet, line: ConfigLine) -> None:
    rate = _need(line, "learning-rate", float)
    count = _each_updatable(nnet, line, lambda c: c.set_underlying_learning_rate(rate))
    log.info(f"Set learning rates for {count} components.")


def _set_learning_rate_factor(nnet: Nnet, line: ConfigLine) -> None:
    factor = _need(line, "learning-rate-factor", float)

    def change(component: UpdatableComponent) -> None:
        component.learning_rate_factor = float(np.float32(factor))

    log.info(f"Set learning rate factors for {_each_updatable(nnet, line, change)} components.")


def _rename_node(nnet: Nnet, line: ConfigLine) -> None:
    rename_node(nnet, _need(line, "old-name"), _need(line, "new-name"))


def rename_node(nnet: Nnet, old: str, new: str) -> None:
    """Also where it is read. Raises KaldiError where there is no such node, or the new name cannot be."""
    if nnet.node(old) is None:
        raise KaldiError(f"Could not rename node from {old} to {new} because there is no node called {old}")
    if nnet.node(new) is not None or not is_valid_name(new):
        raise KaldiError(f"Could not rename node from {old} to {new}: that name is taken or not valid")

    def renamed(node: Node) -> Node:
        if node.name == old:
            node = replace(node, name=new)
        if isinstance(node, ComponentNode | OutputNode):
            return replace(node, input=node.input.rename({old: new}))
        if isinstance(node, DimRangeNode) and node.input_node == old:
            return replace(node, input_node=new)
        return node

    nnet.nodes = [renamed(node) for node in nnet.nodes]


def _remove_output_nodes(nnet: Nnet, line: ConfigLine) -> None:
    pattern = _need(line, "name")
    removed = {n.name for n in nnet.nodes if isinstance(n, OutputNode) and matches(n.name, pattern)}
    log.info(f"Removing {len(removed)} output nodes.")
    if not any(isinstance(n, OutputNode) and n.name not in removed for n in nnet.nodes):
        raise KaldiError("All outputs were removed.")
    nnet.nodes = [node for node in nnet.nodes if node.name not in removed]


def _set_dropout_proportion(nnet: Nnet, line: ConfigLine) -> None:
    proportion = _need(line, "proportion", float)
    count = 0
    for component in components_like(nnet, _pattern(line)).values():
        if isinstance(component, DropoutProportionComponent):
            component.dropout_proportion = proportion
            count += 1
    log.info(f"Set dropout proportions for {count} components.")


def _apply_svd(nnet: Nnet, line: ConfigLine) -> None:
    pattern = _need(line, "name")
    bottleneck = line.get_value("bottleneck-dim", int) or -1
    energy = line.get_value("energy-threshold", float)
    shrinkage = line.get_value("shrinkage-threshold", float)
    energy = -1.0 if energy is None else energy
    if bottleneck <= 0 and energy <= 0:
        raise KaldiError(f"apply-svd needs bottleneck-dim, or energy-threshold between 0 and 1: {line.whole_line}")
    replaced: set[str] = set()
    for name, component in components_like(nnet, pattern).items():
        if not isinstance(component, AffineComponent):
            log.warning(f"Not decomposing component {name} as it is not an AffineComponent.")
            continue
        if min(component.input_dim, component.output_dim) <= bottleneck:
            log.warning(
                f"Not decomposing component {name} with SVD to rank {bottleneck} because its dimension is "
                f"{component.input_dim} -> {component.output_dim}"
            )
            continue
        layers = factorize(name, component, bottleneck, energy, 1.0 if shrinkage is None else shrinkage)
        if layers is None:
            continue
        for suffix, layer in zip(("_a", "_b"), layers, strict=True):
            if name + suffix in nnet.components:
                raise KaldiError(f"Neural network already has a component named {name}{suffix}")
            nnet.components[name + suffix] = layer
        replaced.add(name)
    log.info(f"Decomposed {len(replaced)} components with SVD dimension {bottleneck}")
    split = {n.name: f"{n.name}_b" for n in nnet.nodes if isinstance(n, ComponentNode) and n.component in replaced}
    nodes: list[Node] = []
    for node in nnet.nodes:
        if isinstance(node, ComponentNode | OutputNode):
            node = replace(node, input=node.input.rename(split))
        elif isinstance(node, DimRangeNode):
            node = replace(node, input_node=split.get(node.input_node, node.input_node))
        if isinstance(node, ComponentNode) and node.name in split:
            first = ComponentNode(f"{node.name}_a", f"{node.component}_a", node.input)
            nodes += [first, ComponentNode(f"{node.name}_b", f"{node.component}_b", NodeRef(first.name))]
        else:
            nodes.append(node)
    nnet.nodes = nodes
    for name in replaced:
        del nnet.components[name]
    nnet.check(warn_for_orphans=False)


def _reduce_rank(nnet: Nnet, line: ConfigLine) -> None:
    pattern, rank = _need(line, "name"), _need(line, "rank", int)
    if rank <= 0:
        raise KaldiError("Rank must be positive in reduce-rank command.")
    changed = 0
    for name, component in components_like(nnet, pattern).items():
        if not isinstance(component, AffineComponent):
            log.warning(f"Not reducing rank of component {name} as it is not an AffineComponent.")
        elif min(component.input_dim, component.output_dim) <= rank:
            log.warning(
                f"Not reducing rank of component {name} to {rank} because its dimension is "
                f"{component.input_dim} -> {component.output_dim}"
            )
        else:
            before, after = reduce_rank(component, rank)
            log.info(f"Reduced rank of parameters of component {name}: SVD sum {before:g} -> {after:g}")
            changed += 1
    log.info(f"Reduced rank of parameters of {changed} components.")


_DIRECTIVES: dict[str, Callable[[Nnet, ConfigLine], None]] = {
    "convert-to-fixed-affine": _convert_to_fixed_affine,
    "remove-orphan-nodes": _remove_orphan_nodes,
    "remove-orphan-components": _remove_orphan_components,
    "remove-orphans": _remove_orphans,
    "set-learning-rate": _set_learning_rate,
    "set-learning-rate-factor": _set_learning_rate_factor,
    "rename-node": _rename_node,
    "remove-output-nodes": _remove_output_nodes,
    "set-dropout-proportion": _set_dropout_proportion,
    "apply-svd": _apply_svd,
    "reduce-rank": _reduce_rank,
}
