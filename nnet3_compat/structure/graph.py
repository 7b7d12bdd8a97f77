"""A network as a graph of *values in time*: what each depends on, in which order they can be computed.

Kaldi numbers frames by (n, t, x). All sequences ``n`` of a batch are alike, and ``x`` is mapped by constants only
(``ReplaceIndex(.., x, v)``, ``Offset(.., t, x)``, DistributeComponent), so each (node, x) that occurs becomes a value
of its own and only the time t is left. As in Kaldi (nnet-nnet.h) a component node has two values, the input that its
descriptor assembles and its output.

A descriptor is an Append of parts. A part is a sum-like expression over *leaves*; a leaf reads one value through a
chain of time maps. ``Switch`` becomes leaves defined on disjoint residues of t.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kaldi_bridge.errors import KaldiError
from nnet3_compat.components.taps import Taps
from nnet3_compat.structure import descriptors as ast
from nnet3_compat.structure.nnet import ComponentNode, DimRangeNode, InputNode, OutputNode
from nnet3_compat.structure.timeset import Fix, Only, RoundDown, Shift, TimeMap

if TYPE_CHECKING:
    from nnet3_compat.structure.nnet import Nnet


@dataclass(eq=False)
class Leaf:
    """``scale`` times the value ``source`` at the time that ``maps`` make of t (applied first to last)."""

    source: int
    maps: tuple[TimeMap, ...]
    scale: float


@dataclass(eq=False)
class Const:
    """The same number in every dimension, at every time."""

    value: float


@dataclass(eq=False)
class Sum:
    """All of them, added up."""

    args: list[Expression]


@dataclass(eq=False)
class Either:
    """The first of the two that is computable (Failover)."""

    first: Expression
    second: Expression


@dataclass(eq=False)
class Select:
    """Exactly one of the leaves is defined at each t (Switch)."""

    leaves: list[Leaf]


@dataclass(eq=False)
class Optional:
    """The argument, or zero where it is not computable (IfDefined)."""

    arg: Expression


Expression = Leaf | Const | Sum | Either | Select | Optional


def maps_of(taps: Taps, k: int) -> tuple[TimeMap, ...]:
    """From a component's time to that of its tap k."""
    maps: list[TimeMap] = [Only(taps.multiple_of, 0)] if taps.multiple_of > 1 else []
    if taps.period > 1:
        maps.append(RoundDown(taps.period))
    maps.append(Shift(taps.offsets[k]))
    return tuple(maps)


@dataclass(eq=False)
class Value:
    """One value of the graph: an input, a descriptor (``parts``), a component, or columns of another value.

    The last two read ``taps``: a component one leaf per input time, a range of columns a single leaf.
    """

    node: str
    dim: int
    x: int = 0
    is_input: bool = False
    parts: list[tuple[int, Expression]] = field(default_factory=list)  # (dim, expression)
    component: str | None = None
    taps: list[Leaf] = field(default_factory=list)
    tap_rule: Taps | None = None  # None: one tap, the same time
    fills_gaps: bool = False  # in training, Kaldi computes it at equal distances in time, needed or not
    uses_times: bool = False  # in training, its component wants to know the time of each row
    first_column: int = 0

    def leaves(self) -> list[Leaf]:
        """Everything this value may read, in a fixed order."""
        out: list[Leaf] = []
        for _, expression in self.parts:
            collect_leaves(expression, out)
        out.extend(self.taps)
        return out


def collect_leaves(expression: Expression, out: list[Leaf]) -> None:
    """Appends the leaves of an expression, left to right."""
    if isinstance(expression, Leaf):
        out.append(expression)
    elif isinstance(expression, Sum):
        for arg in expression.args:
            collect_leaves(arg, out)
    elif isinstance(expression, Either):
        collect_leaves(expression.first, out)
        collect_leaves(expression.second, out)
    elif isinstance(expression, Select):
        out.extend(expression.leaves)
    elif isinstance(expression, Optional):
        collect_leaves(expression.arg, out)


def terms_of(expression: Expression) -> tuple[list[Leaf], float]:
    """A part as leaves, of which a layout says the rows, plus a constant."""
    if isinstance(expression, Leaf):
        return [expression], 0.0
    if isinstance(expression, Const):
        return [], expression.value
    if isinstance(expression, Select):
        return expression.leaves, 0.0
    if isinstance(expression, Optional):
        args = [expression.arg]
    elif isinstance(expression, Either):
        args = [expression.first, expression.second]
    else:
        assert isinstance(expression, Sum)
        args = expression.args
    leaves: list[Leaf] = []
    constant = 0.0
    for arg in args:
        more, c = terms_of(arg)
        leaves += more
        constant += c
    return leaves, constant


@dataclass
class Group:
    """A run of ``Graph.values``: a single value, or the values of a recurrence (a strongly connected component).

    ``direction`` is 0 for a single value, -1 where a recurrence reads its own past, +1 its own future, None where
    neither order works. ``potential`` shifts the members in time so that then none reads against the direction; members
    are sorted so that what is read at the same shifted time comes first.
    """

    members: list[int]
    direction: int | None = 0
    potential: dict[int, int] = field(default_factory=dict)


@dataclass
class Graph:
    """``values`` in an order in which they can be computed, cut into ``groups``."""

    values: list[Value]
    groups: list[Group]
    inputs: dict[str, int]
    outputs: dict[str, int]


class _Builder:
    def __init__(self, nnet: Nnet) -> None:
        self.nnet = nnet
        self.nodes = {node.name: node for node in nnet.nodes}
        self.values: list[Value] = []
        self.ids: dict[tuple[str, str, int], int] = {}
        self.unfilled: list[tuple[Value, int]] = []

    def build(self, outputs: tuple[str, ...]) -> dict[str, int]:
        """Makes all that the outputs depend on; no recursion, as networks may be deep."""
        ids = {name: self.value(name, 0) for name in outputs}
        while self.unfilled:
            made, x = self.unfilled.pop()
            node = self.nodes[made.node]
            if isinstance(node, DimRangeNode):
                made.taps = [Leaf(self.value(node.input_node, x), (), 1.0)]
            elif isinstance(node, OutputNode):
                self.fill(made, node.input, x)
            elif isinstance(node, ComponentNode):
                self.fill_component(made, node, x)
        return ids

    def value(self, name: str, x: int) -> int:
        """The id of what other nodes see as (node, x); when it is new, to be filled later."""
        key = (name, "", x)
        if key in self.ids:
            return self.ids[key]
        if len(self.values) > 100000:
            raise KaldiError(f"node {name}: the x indexes of this network have no end")
        node = self.nodes.get(name)
        if node is None:
            raise KaldiError(f"the network has no node named {name}")
        here = self.ids[key] = len(self.values)
        made = Value(name, 0, x)
        self.values.append(made)
        if isinstance(node, InputNode):
            made.is_input, made.dim = True, node.dim
        elif isinstance(node, DimRangeNode):
            made.dim, made.first_column = node.dim, node.dim_offset
        self.unfilled.append((made, x))
        return here

    def fill(self, value: Value, descriptor: ast.Descriptor, x: int) -> None:
        parts = descriptor.args if isinstance(descriptor, ast.Append) else [descriptor]
        for part in parts:
            if isinstance(part, ast.Append):
                raise KaldiError(f"node {value.node}: Append inside Append must be flattened")
            value.parts.append((self.nnet.descriptor_dim(part), self.sum_like(part, x, 1.0)))
        value.dim = sum(dim for dim, _ in value.parts)

    def fill_component(self, value: Value, node: ComponentNode, x: int) -> None:
        component = self.nnet.components[node.component]
        value.dim = component.output_dim
        selected = component.select(x)
        if selected is not None:
            x = selected[0]
        key = (node.name, "input", x)
        if key not in self.ids:
            self.ids[key] = len(self.values)
            self.values.append(Value(node.name, 0, x))
            self.fill(self.values[self.ids[key]], node.input, x)
        source = self.ids[key]
        if selected is not None:
            value.first_column, value.taps = selected[1] * value.dim, [Leaf(source, (), 1.0)]
            return
        value.component = node.component
        value.uses_times, value.fills_gaps = component.uses_times, component.fills_gaps
        value.tap_rule = component.taps()
        rule = value.tap_rule or Taps((0,))
        value.taps = [Leaf(source, maps_of(rule, k), 1.0) for k in range(len(rule.offsets))]

    def sum_like(self, d: ast.Descriptor, x: int, scale: float) -> Expression:
        if isinstance(d, ast.Sum):
            return Sum([self.sum_like(arg, x, scale) for arg in d.args])
        if isinstance(d, ast.Failover):
            return Either(self.sum_like(d.a, x, scale), self.sum_like(d.b, x, scale))
        if isinstance(d, ast.IfDefined):
            return Optional(self.sum_like(d.arg, x, scale))
        if isinstance(d, ast.Const):
            return Const(scale * d.value)
        if isinstance(d, ast.Scale) and isinstance(d.arg, (ast.Sum, ast.Failover, ast.IfDefined, ast.Const)):
            return self.sum_like(d.arg, x, scale * d.scale)
        leaves = self.forwarding(d, x, scale, ())
        return leaves[0] if len(leaves) == 1 else Select(leaves)

    def forwarding(self, d: ast.Descriptor, x: int, scale: float, maps: tuple[TimeMap, ...]) -> list[Leaf]:
        if isinstance(d, ast.NodeRef):
            return [Leaf(self.value(d.name, x), maps, scale)]
        if isinstance(d, ast.Scale):
            return self.forwarding(d.arg, x, scale * d.scale, maps)
        if isinstance(d, ast.Offset):
            more = (Shift(d.t),) if d.t else ()
            return self.forwarding(d.arg, x + d.x, scale, maps + more)
        if isinstance(d, ast.Round):
            return self.forwarding(d.arg, x, scale, maps + ((RoundDown(d.period),) if d.period > 1 else ()))
        if isinstance(d, ast.ReplaceIndex):
            if d.var == "x":
                return self.forwarding(d.arg, d.value, scale, maps)
            return self.forwarding(d.arg, x, scale, maps + (Fix(d.value),))
        if isinstance(d, ast.Switch):
            n = len(d.args)
            return [
                leaf
                for k, arg in enumerate(d.args)
                for leaf in self.forwarding(arg, x, scale, maps + ((Only(n, k),) if n > 1 else ()))
            ]
        raise KaldiError(f"descriptor {d} stands where only Offset, Round, Switch, Scale and ReplaceIndex are allowed")


def build_graph(nnet: Nnet, outputs: tuple[str, ...] = ("output",)) -> Graph:
    """The graph of all that the output nodes may depend on.

    Raises:
        KaldiError: a node is missing, or a descriptor is not one that Kaldi accepts.
    """
    builder = _Builder(nnet)
    ids = builder.build(outputs)
    edges = [[leaf.source for leaf in v.leaves()] for v in builder.values]
    groups = []
    for members in strong_components(edges):
        recurrent = len(members) > 1 or members[0] in edges[members[0]]
        groups.append(order_recurrence(builder.values, members) if recurrent else Group(members))
    order = [i for group in groups for i in group.members]
    new_id = {old: new for new, old in enumerate(order)}
    for v in builder.values:
        for leaf in v.leaves():
            leaf.source = new_id[leaf.source]
    values = [builder.values[i] for i in order]
    numbered = []
    for g in groups:
        potential = {new_id[i]: p for i, p in g.potential.items()}
        numbered.append(Group([new_id[i] for i in g.members], g.direction, potential))
    inputs = {v.node: i for i, v in enumerate(values) if v.is_input and v.x == 0}
    return Graph(values, numbered, inputs, {name: new_id[i] for name, i in ids.items()})


def leaf_offset(leaf: Leaf) -> int | None:
    """The offset of a leaf that only shifts the time, else None."""
    if all(isinstance(m, Shift) for m in leaf.maps):
        return sum(m.offset for m in leaf.maps if isinstance(m, Shift))
    return None


def order_recurrence(values: list[Value], members: list[int]) -> Group:
    """Finds the direction, potentials and order of a recurrence (see Group)."""
    inside = set(members)
    leaves = [(v, leaf) for v in members for leaf in values[v].leaves() if leaf.source in inside]
    edges = [(v, leaf.source, leaf_offset(leaf)) for v, leaf in leaves]
    if any(offset is None for _, _, offset in edges):
        return Group(members, None)
    for direction in (-1, 1):
        # reader v, source u: v reads u at t + o. Wanted: -direction * (o - p(u) + p(v)) <= 0, by Bellman-Ford.
        potential = dict.fromkeys(members, 0)
        for _ in range(len(members) + 1):
            changed = False
            for v, u, offset in edges:
                bound = potential[u] + direction * (offset or 0)
                if potential[v] > bound:
                    potential[v], changed = bound, True
            if not changed:
                break
        else:
            continue
        shift = {v: -direction * p for v, p in potential.items()}
        same_time = {v: [u for w, u, o in edges if w == v and (o or 0) - shift[u] + shift[v] == 0] for v in members}
        local = {v: i for i, v in enumerate(members)}
        parts = strong_components([[local[u] for u in same_time[v]] for v in members])
        if all(len(part) == 1 and members[part[0]] not in same_time[members[part[0]]] for part in parts):
            return Group([members[part[0]] for part in parts], direction, shift)
    return Group(members, None)


def strong_components(edges: list[list[int]]) -> list[list[int]]:
    """Strongly connected components of ``i -> edges[i]``, dependencies first (Tarjan 1972, without recursion)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    found: list[list[int]] = []
    for root in range(len(edges)):
        if root in index:
            continue
        work = [(root, iter(edges[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            at, rest = work[-1]
            for to in rest:
                if to not in index:
                    index[to] = low[to] = len(index)
                    stack.append(to)
                    on_stack.add(to)
                    work.append((to, iter(edges[to])))
                    break
                if to in on_stack:
                    low[at] = min(low[at], index[to])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[at])
                if low[at] == index[at]:
                    group = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        group.append(member)
                        if member == at:
                            break
                    found.append(group)
    return found
