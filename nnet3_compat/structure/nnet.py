"""A network: named nodes that say what reads what, and named components (nnet3/nnet-nnet.h).

Kaldi keeps a component node's input as a node of its own; here it is the ``input`` of the component node.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.text import decode, encode, words
from nnet3_compat.components import COMPONENTS, Component, read_component
from nnet3_compat.components.config_line import ConfigLine, is_valid_name, read_config_lines
from nnet3_compat.structure.descriptors import Descriptor, parse

if TYPE_CHECKING:
    from kaldi_bridge.io.streams import InputStream, OutputStream

MAX_COMPONENTS = 100000
MAX_CONFIG_BYTES = 1 << 26


@dataclass(frozen=True)
class InputNode:
    """Where features or i-vectors of ``dim`` columns come in."""

    name: str
    dim: int

    def __str__(self) -> str:
        return f"input-node name={self.name} dim={self.dim}"


@dataclass(frozen=True)
class ComponentNode:
    """The output of a component whose input the descriptor puts together."""

    name: str
    component: str
    input: Descriptor

    def __str__(self) -> str:
        return f"component-node name={self.name} component={self.component} input={self.input}"


@dataclass(frozen=True)
class DimRangeNode:
    """Columns ``dim_offset`` to ``dim_offset + dim`` of an input or component node."""

    name: str
    input_node: str
    dim_offset: int
    dim: int

    def __str__(self) -> str:
        return (
            f"dim-range-node name={self.name} input-node={self.input_node} dim-offset={self.dim_offset} dim={self.dim}"
        )


@dataclass(frozen=True)
class OutputNode:
    """``objective`` is "linear" or "quadratic"."""

    name: str
    input: Descriptor
    objective: str = "linear"

    def __str__(self) -> str:
        return f"output-node name={self.name} input={self.input} objective={self.objective}"


Node = InputNode | ComponentNode | DimRangeNode | OutputNode


TOKENS = {"float32": "<Nnet3>", "int8": "<Nnet3Int8>"}
"""How a network begins on file, by what its matrices of parameters are kept in there."""
_INT8 = encode(TOKENS["int8"])


class Nnet:
    """``nodes`` and ``components`` in the order of the file; nodes are replaced, never changed in place.

    Attributes:
        precision: what the file had the parameters in: "float32", or "int8", in which nnet-pytorch-export keeps them.
            In memory they are float32, and are written so.
    """

    precision = "float32"

    def __init__(self, nodes: Iterable[Node] = (), components: dict[str, Component] | None = None) -> None:
        self.nodes: list[Node] = list(nodes)
        self.components: dict[str, Component] = dict(components or {})

    @classmethod
    def from_config(cls, lines: Iterable[str]) -> Nnet:
        """A network from the lines of a config file."""
        nnet = cls()
        nnet.read_config(lines)
        return nnet

    def copy(self) -> Nnet:
        """With components of its own."""
        return Nnet(self.nodes, {name: component.copy() for name, component in self.components.items()})

    # What it is made of.

    def node(self, name: str) -> Node | None:
        """The node of that name; None when there is none."""
        return next((node for node in self.nodes if node.name == name), None)

    def node_dim(self, name: str) -> int:
        """The dimension of what a descriptor that names it gets. Raises KaldiError when there is no such node."""
        node = self.node(name)
        if node is None:
            raise KaldiError(f"the network has no node named {name}")
        return self._dim(node)

    def _dim(self, node: Node) -> int:
        if isinstance(node, InputNode | DimRangeNode):
            return node.dim
        if isinstance(node, ComponentNode):
            return self.components[node.component].output_dim
        return self.descriptor_dim(node.input)

    def descriptor_dim(self, descriptor: Descriptor) -> int:
        """Columns of what a descriptor puts together."""
        dims: dict[str, int] = {node.name: self._dim(node) for node in self.nodes if not isinstance(node, OutputNode)}
        return descriptor.dim(dims.__getitem__)

    def input_dim(self, name: str = "input") -> int:
        """Dimension of the input node of this name; -1 when there is none."""
        node = self.node(name)
        return node.dim if isinstance(node, InputNode) else -1

    def output_dim(self, name: str = "output") -> int:
        """Dimension of the output node of this name; -1 when there is none."""
        node = self.node(name)
        return self.descriptor_dim(node.input) if isinstance(node, OutputNode) else -1

    def config_lines(self, include_dim: bool = False) -> list[str]:
        """Each node as a line of a config file; with ``include_dim`` as nnet3-info prints it."""
        if not include_dim:
            return [str(node) for node in self.nodes]
        lines = []
        for node in self.nodes:
            line = str(node)
            if isinstance(node, ComponentNode):
                dims = f" input-dim={self.descriptor_dim(node.input)} output-dim={self._dim(node)}"
                line += dims
            elif isinstance(node, OutputNode):
                head, _, objective = line.rpartition(" objective=")
                line = f"{head} dim={self._dim(node)} objective={objective}"
            lines.append(line)
        return lines

    # Config files.

    def read_config(self, lines: Iterable[str], warn_for_orphans: bool = True) -> None:
        """Adds the nodes and components of a config file, replacing those that are there already.

        Raises KaldiError naming the line.
        """
        kept = self.config_lines()
        parsed = [ConfigLine(line) for line in kept + read_config_lines(lines)]
        parsed = _without_replaced(parsed, len(kept))
        initial = set(self.components)
        components, order = dict(self.components), []
        for line in parsed:
            if line.first_token == "component":
                name, component = _component(line)
                if name in components and name not in initial:
                    raise KaldiError(f"You are adding two components with the same name: '{name}'")
                components[name] = component
            elif line.first_token in ("component-node", "input-node", "output-node", "dim-range-node"):
                order.append((_need(line, "name"), line))
            else:
                raise KaldiError(f"Invalid config-file line ('{line.first_token}' not expected): {line.whole_line}")
        readable = {name for name, line in order if line.first_token != "output-node"}
        nodes = [_node(name, line, readable, components) for name, line in order]
        made = Nnet(nodes, components)
        made.check(warn_for_orphans)
        self.nodes, self.components = made.nodes, made.components

    def check(self, warn_for_orphans: bool = True) -> None:
        """Raises KaldiError unless names, dimensions and the kinds of nodes fit together (Nnet::Check)."""
        if not self.nodes:
            raise KaldiError("the network has no nodes")
        by_name: dict[str, Node] = {}
        for node in self.nodes:
            taken = {node.name, f"{node.name}_input"} if isinstance(node, ComponentNode) else {node.name}
            if taken & set(by_name):
                raise KaldiError(f"two nodes are called {node.name}, or one as another's input ({node.name}_input)")
            by_name.update(dict.fromkeys(taken, node))
        dims = {node.name: self._dim(node) for node in self.nodes if not isinstance(node, OutputNode)}
        for node in self.nodes:
            if isinstance(node, ComponentNode | OutputNode):
                for name in node.input.node_names():
                    if name not in dims:
                        raise KaldiError(f"Invalid source node in descriptor of {node.name}: {name}")
                dim = node.input.dim(dims.__getitem__)
                if isinstance(node, ComponentNode) and dim != self.components[node.component].input_dim:
                    raise KaldiError(
                        f"Dimension mismatch for network-node {node.name}: input-dim {dim} versus "
                        f"component-input-dim {self.components[node.component].input_dim}"
                    )
            elif isinstance(node, DimRangeNode):
                source = self.node(node.input_node)
                if not isinstance(source, InputNode | ComponentNode):
                    raise KaldiError(f"Invalid source node in dim-range-node {node.name}: {node.input_node}")
                if not (node.dim > 0 and node.dim_offset >= 0 and node.dim + node.dim_offset <= self._dim(source)):
                    raise KaldiError(
                        f"Invalid node dimensions for dim-range-node {node.name}: input-dim={self._dim(source)}, "
                        f"dim={node.dim}, dim-offset={node.dim_offset}"
                    )
        if not any(isinstance(node, InputNode) for node in self.nodes):
            raise KaldiError("the network has no input-node")
        if not any(isinstance(node, OutputNode) for node in self.nodes):
            raise KaldiError("the network has no output-node")
        if warn_for_orphans:
            for name in orphan_components(self):
                log.warning(f"Component {name} is never used by any node.")
            for name in orphan_nodes(self):
                log.warning(f"Node {name} is never used to compute any output.")

    # Files.

    @classmethod
    def read(cls, stream: InputStream, binary: bool) -> Nnet:
        """Reads ``<Nnet3>`` to ``</Nnet3>``. Raises KaldiError."""
        precision = "int8" if binary and stream.peek(len(_INT8)) == _INT8 else "float32"
        basic_io.expect_token(stream, binary, TOKENS[precision])
        if words(stream.readline()):
            raise KaldiError(f"{stream.where()}: expected the end of the line after <Nnet3>")
        config, size = [], 0
        while line := stream.readline().rstrip(b"\r\n"):
            config.append(decode(line))
            size += len(line)
            if size > MAX_CONFIG_BYTES:
                raise KaldiError(f"{stream.name}: the config part of the network has no end")
        basic_io.expect_token(stream, binary, "<NumComponents>")
        count = basic_io.read_int32(stream, binary)
        if not 0 <= count < MAX_COMPONENTS:
            raise KaldiError(f"{stream.where()}: {count} is no number of components")
        nnet = cls()
        nnet.precision = precision
        for _ in range(count):
            basic_io.expect_token(stream, binary, "<ComponentName>")
            name = basic_io.read_token(stream, binary)
            if name in nnet.components:
                raise KaldiError(f"{stream.where()}: two components are called {name}")
            nnet.components[name] = read_component(stream, binary)
        basic_io.expect_token(stream, binary, "</Nnet3>")
        try:
            nnet.read_config(config)
        except KaldiError as error:
            raise KaldiError(f"{stream.name}: {error}") from error
        return nnet

    def write(self, stream: OutputStream, binary: bool, precision: str = "float32") -> None:
        """Writes ``<Nnet3>`` to ``</Nnet3>``; "int8": where parameters are in eight bits (see model/int8.py)."""
        basic_io.write_token(stream, binary, TOKENS[precision])
        stream.write(encode("".join(f"{line}\n" for line in ["", *self.config_lines(), ""])))
        basic_io.write_token(stream, binary, "<NumComponents>")
        basic_io.write_int32(stream, binary, len(self.components))
        end = b"" if binary else b"\n"
        stream.write(end)
        for name, component in self.components.items():
            basic_io.write_token(stream, binary, "<ComponentName>")
            basic_io.write_token(stream, binary, name)
            component.write(stream, binary)
            stream.write(end)
        basic_io.write_token(stream, binary, "</Nnet3>")


def orphan_components(nnet: Nnet) -> list[str]:
    """Components that no node uses."""
    used = {node.component for node in nnet.nodes if isinstance(node, ComponentNode)}
    return [name for name in nnet.components if name not in used]


def orphan_nodes(nnet: Nnet) -> list[str]:
    """Nodes that no output depends on, input nodes among them."""
    by_name = {node.name: node for node in nnet.nodes}
    waiting = [node.name for node in nnet.nodes if isinstance(node, OutputNode)]
    needed: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in needed:
            continue
        needed.add(name)
        node = by_name[name]
        if isinstance(node, DimRangeNode):
            waiting.append(node.input_node)
        elif isinstance(node, ComponentNode | OutputNode):
            waiting.extend(node.input.node_names())
    return [node.name for node in nnet.nodes if node.name not in needed]


def _without_replaced(lines: list[ConfigLine], num_kept: int) -> list[ConfigLine]:
    """Drops lines of the network so far whose node is defined anew; anything else defined twice is an error."""
    latest: dict[str, int] = {}
    components: set[str] = set()
    dropped: set[int] = set()
    for i, line in enumerate(lines):
        name = line.get_value("name")
        if name is None:
            raise KaldiError(f"Config line has no field 'name=xxx': {line.whole_line}")
        if not is_valid_name(name):
            raise KaldiError(f"Name '{name}' is not allowable, in line: {line.whole_line}")
        if line.first_token == "component":
            if name in components:
                raise KaldiError(f"Component name {name} appears twice in the same config file.")
            components.add(name)
            continue
        if name in latest:
            if latest[name] >= num_kept:
                raise KaldiError(f"Node name {name} appears twice in the same config file.")
            dropped.add(latest[name])
        latest[name] = i
    return [line for i, line in enumerate(lines) if i not in dropped]


def _need(line: ConfigLine, key: str, kind: type = str) -> Any:
    value = line.get_value(key, kind)
    if value is None:
        raise KaldiError(f"Expected {key}=... in config line: {line.whole_line}")
    return value


def _component(line: ConfigLine) -> tuple[str, Component]:
    name, kind = _need(line, "name"), _need(line, "type")
    if kind not in COMPONENTS:
        raise KaldiError(f"Unknown component-type '{kind}' in config line: {line.whole_line}")
    return name, COMPONENTS[kind].init_from_config(line)


def _node(name: str, line: ConfigLine, readable: set[str], components: dict[str, Component]) -> Node:
    node: Node
    if line.first_token == "input-node":
        node = InputNode(name, _need(line, "dim", int))
        if node.dim <= 0:
            raise KaldiError(f"Invalid dimension in config line: {line.whole_line}")
    elif line.first_token == "dim-range-node":
        source = _need(line, "input-node")
        node = DimRangeNode(name, source, _need(line, "dim-offset", int), _need(line, "dim", int))
    elif line.first_token == "output-node":
        objective = line.get_value("objective") or "linear"
        if objective not in ("linear", "quadratic"):
            raise KaldiError(f"Invalid objective type '{objective}' in config line: {line.whole_line}")
        node = OutputNode(name, _descriptor(line, readable), objective)
    else:
        component = _need(line, "component")
        if component not in components:
            raise KaldiError(f"No component named '{component}', in config line: {line.whole_line}")
        node = ComponentNode(name, component, _descriptor(line, readable))
    if line.has_unused_values():
        raise KaldiError(f"Unused values '{line.unused_values()}' in config line: {line.whole_line}")
    return node


def _descriptor(line: ConfigLine, readable: set[str]) -> Descriptor:
    try:
        return parse(_need(line, "input"), readable)
    except KaldiError as error:
        raise KaldiError(f"{error}, in config line: {line.whole_line}") from None
