"""A network for computing only: what affine maps are followed by is folded into them.

In test mode a TDNN-F layer is ``0.66 x + batchnorm(relu(W y + b))``. The scale s of a batch norm is positive, so
s relu(z) = relu(s z) and s goes into W and b. Its offset is constant: instead of adding it to every frame the value is
kept without it, and each later affine map, whose input is then lacking a constant c, gets W c added to its bias. What
is left per layer is the matrix products, a relu and a sum, done in place on blocks of rows that stay in the cache.

The result reads the same layouts as the Executor that it is made of and gives the same outputs, up to rounding. It
holds its own weights: make it again when parameters change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from nnet3_compat.components.base import Component
from nnet3_compat.modules.base import ComponentModule
from nnet3_compat.modules.leaves import leaf_reader, leaf_size, nothing_like
from nnet3_compat.network.executor import ComponentStep, Executor
from nnet3_compat.network.recurrent_inference import RecurrentInference
from nnet3_compat.structure.graph import Const, Expression, Graph, Leaf, Sum, Value
from nnet3_compat.structure.layout import Layout
from nnet3_compat.structure.segments import SegmentLayout

NO_COMPONENT = Component()
MAX_PROGRAMS = 64
BLOCK_ROWS = 512  # as few as matrix products run at full speed with, so that what follows finds the block in the cache


@dataclass
class _Chain:
    """An affine map and what is folded into it; writes the value ``result``."""

    affine: int
    weights: list[Tensor]  # per tap [D_in, D_out]; a view of [D_out, D_in], which is faster for few rows
    bias: Tensor
    offset: Tensor  # what the value lacks, or is added last
    relu: bool = False
    result: int = -1
    residual: list[tuple[int, int, float]] = field(default_factory=list)  # (leaf of the sum, source, scale)
    absorbed: list[int] = field(default_factory=list)
    add_offset: bool = True

    def compute(self, taps: list[Tensor], added: list[tuple[Tensor, float]]) -> Tensor:
        """[rows, D_out] of what each tap reads [rows, D_in], and of what is added, with its scale."""
        total = len(taps[0])
        blocks = 1 if taps[0].is_cuda else max(1, total // BLOCK_ROWS)
        if blocks == 1:
            return self._finish(torch.addmm(self.bias, taps[0], self.weights[0]), taps, added, slice(None))
        out = torch.empty(total, self.bias.numel(), dtype=taps[0].dtype, device=taps[0].device)
        size = -(-total // blocks)
        for start in range(0, total, size):
            rows = slice(start, start + size)
            self._finish(torch.addmm(self.bias, taps[0][rows], self.weights[0], out=out[rows]), taps, added, rows)
        return out

    def _finish(self, y: Tensor, taps: list[Tensor], added: list[tuple[Tensor, float]], rows: slice) -> Tensor:
        for tap, weight in zip(taps[1:], self.weights[1:], strict=True):
            y.addmm_(tap[rows], weight)
        if self.relu:
            y.relu_()
        for other, scale in added:
            y.add_(other[rows], alpha=scale)
        if self.add_offset:
            y.add_(self.offset)
        return y


Run = Callable[[list[Tensor], list[Tensor]], list[Tensor]]
"""From the inputs and all values so far, [rows, N, dim] each, to new values."""


@dataclass
class Operation:
    """``run`` gives the values ``makes``; nothing reads those of ``free`` after it."""

    makes: list[int]
    run: Run
    free: list[int]


def plain_terms(e: Expression) -> tuple[list[Leaf], float] | None:
    """Leaves and constant of a part that always uses all of its leaves, else None."""
    if isinstance(e, Leaf):
        return [e], 0.0
    if isinstance(e, Const):
        return [], e.value
    if not isinstance(e, Sum):
        return None
    leaves: list[Leaf] = []
    constant = 0.0
    for arg in e.args:
        terms = plain_terms(arg)
        if terms is None:
            return None
        leaves += terms[0]
        constant += terms[1]
    return leaves, constant


class Inference:
    """``inference(inputs, layout)`` as the Executor; see the top of this file.

    Args:
        graph, executor: of a Network in test mode, on the device where this is to run.
        carried: the values of which segments of utterances leave something to later ones.
    """

    def __init__(self, graph: Graph, executor: Executor, carried: Collection[int] = ()) -> None:
        self.graph, self.executor = graph, executor
        self._programs: dict[int, tuple[Layout, list[Operation]]] = {}
        self.group_of = {i: g for g, group in enumerate(graph.groups) for i in group.members}
        self.readers: list[list[int]] = [[] for _ in graph.values]
        for i, v in enumerate(graph.values):
            for leaf in v.leaves():
                self.readers[leaf.source].append(i)
        self.recurrent = [graph.groups[self.group_of[i]].direction != 0 for i in range(len(graph.values))]
        self.modules: dict[int, ComponentModule[Any]] = {}
        for step, group in zip(executor.steps, graph.groups, strict=True):
            if isinstance(step, ComponentStep):
                self.modules[group.members[0]] = step.component
        self.steps: list[Callable[..., list[Tensor]]] = list(executor.steps)
        with torch.no_grad():
            for g, group in enumerate(graph.groups):
                if group.direction != 0:
                    members: Any = executor.steps[g].members
                    found = {i: m.component for i, m in zip(group.members, members, strict=True) if m.has_component}
                    self.steps[g] = RecurrentInference(graph, group, found, carried)
            self.takes_offset = self._who_takes_offsets()
            self.offsets: list[Tensor | None] = [None] * len(graph.values)
            self.chains: dict[int, _Chain] = {}
            self._build()

    def _component(self, i: int) -> Component:
        """Of a value that is not a recurrence; one that is nothing in particular where there is none."""
        module = self.modules.get(i)
        return NO_COMPONENT if module is None else module.component

    def _who_takes_offsets(self) -> list[bool]:
        """Per value, whether every reader can do with the value less a constant."""
        values = self.graph.values
        takes = [False] * len(values)
        wanted = set(self.graph.outputs.values())
        for i in reversed(range(len(values))):
            ok = i not in wanted
            for r in self.readers[i]:
                v = values[r]
                if self.recurrent[r]:
                    ok = False
                elif v.parts:
                    ok = ok and takes[r] and all(plain_terms(e) is not None for _, e in v.parts)
                elif v.component is None or self._component(r).is_identity:
                    ok = ok and takes[r]
                else:
                    ok = ok and self._component(r).is_affine
            takes[i] = ok
        return takes

    def _only_reader(self, i: int) -> int | None:
        """The value that alone reads value i, outside of recurrences; None where there are several, or i is wanted."""
        if len(self.readers[i]) != 1 or i in self.graph.outputs.values():
            return None
        reader = self.readers[i][0]
        return None if self.recurrent[reader] else reader

    def _build(self) -> None:
        values = self.graph.values
        inside: set[int] = set()
        at: dict[int, _Chain] = {}
        for i, v in enumerate(values):
            if i in inside or i in at or self.recurrent[i]:
                continue
            if self._component(i).is_affine:
                chain = self._chain(i)
                inside.update(chain.absorbed)
                at[chain.result] = chain
                self._finish(chain)
            elif v.parts:
                self._descriptor_offset(i, v)
            elif (v.component is None or self._component(i).is_identity) and v.taps:
                below = self.offsets[v.taps[0].source]
                if below is not None:
                    self.offsets[i] = below[v.first_column : v.first_column + v.dim]
        self.chains = at
        self.skipped = inside
        self._free_lists()

    def _descriptor_offset(self, i: int, v: Value) -> None:
        found = False
        parts: list[Tensor] = []
        for dim, e in v.parts:
            total = torch.zeros(dim)
            terms = plain_terms(e)
            for leaf in terms[0] if terms else []:
                below = self.offsets[leaf.source]
                if below is not None:
                    total = total.to(below.device) + leaf.scale * below
                    found = True
            parts.append(total)
        if found:
            device = next(o.device for o in self.offsets if o is not None)
            self.offsets[i] = torch.cat([p.to(device) for p in parts])

    def _chain(self, i: int) -> _Chain:
        """The affine map of value i with everything that can be folded into it."""
        values = self.graph.values
        weight, given = self.modules[i].affine()
        weight = weight.detach()
        bias = torch.zeros_like(weight[:, 0]) if given is None else given.detach().clone()
        below = self.offsets[values[i].taps[0].source]
        taps = len(values[i].taps)
        if below is not None:
            bias += weight @ below.to(weight.dtype).repeat(taps)
        offset = torch.zeros_like(bias)
        chain = _Chain(i, [], bias, offset, result=i)
        at = i
        while True:
            descriptor = self._only_reader(at)
            if descriptor is None or not values[descriptor].parts or len(values[descriptor].parts) != 1:
                break
            terms = plain_terms(values[descriptor].parts[0][1])
            if terms is None:
                break
            leaves, constant = terms
            mine = [leaf for leaf in leaves if leaf.source == at]
            if len(mine) != 1 or mine[0].maps or mine[0].scale != 1.0:
                break
            if len(leaves) > 1 or constant:
                if any(leaf.source > i for leaf in leaves if leaf.source != at):
                    break  # its offset is not known yet
                order = values[descriptor].leaves()
                chain.residual = [(order.index(leaf), leaf.source, leaf.scale) for leaf in leaves if leaf.source != at]
                for _, source, scale in chain.residual:
                    lacking = self.offsets[source]
                    if lacking is not None:
                        chain.offset = chain.offset + scale * lacking
                chain.offset = chain.offset + constant
                chain.absorbed.append(at)
                chain.result = at = descriptor
                break
            reader = self._only_reader(descriptor)
            if reader is None or values[reader].component is None:
                break
            component = self._component(reader)
            if component.is_rectifier and not chain.offset.any():
                chain.relu = True
            elif component.is_scale_and_offset:
                s, o = (x.detach() for x in self.modules[reader].scale_and_offset())
                if chain.relu and not bool((s > 0).all()):
                    break
                weight, chain.bias = weight * s[:, None], chain.bias * s
                if chain.relu:
                    chain.offset = chain.offset * s + o
                else:
                    chain.bias = chain.bias + o
            elif not component.is_identity:
                break
            chain.absorbed += [at, descriptor]
            chain.result = at = reader
        chain.absorbed = [a for a in chain.absorbed if a != chain.result]
        width = weight.shape[1] // taps
        chain.weights = [weight[:, k * width : (k + 1) * width].contiguous().t() for k in range(taps)]
        return chain

    def _finish(self, chain: _Chain) -> None:
        if self.takes_offset[chain.result] and bool(chain.offset.any()):
            chain.add_offset = False
            self.offsets[chain.result] = chain.offset
        elif not chain.relu and not chain.residual:
            chain.bias, chain.offset = chain.bias + chain.offset, torch.zeros_like(chain.offset)
        chain.add_offset = chain.add_offset and bool(chain.offset.any())

    def _free_lists(self) -> None:
        """Which values nothing reads after each group has run."""
        values = self.graph.values
        runs_at = {chain.affine: self.group_of[result] for result, chain in self.chains.items()}
        last = {i: self.group_of[i] for i in range(len(values))}
        for i, v in enumerate(values):
            when = runs_at.get(i, self.group_of[i])
            for leaf in v.leaves():
                last[leaf.source] = max(last[leaf.source], when)
        self.free: list[list[int]] = [[] for _ in self.graph.groups]
        for i, g in last.items():
            if i not in self.graph.outputs.values():
                self.free[g].append(i)

    def __call__(self, inputs: list[Tensor], layout: Layout) -> list[Tensor]:
        nothing = nothing_like(inputs[0], 0, 1)
        values: list[Tensor] = [nothing] * len(self.graph.values)
        for operation in self.program(layout):
            for i, made in zip(operation.makes, operation.run(inputs, values), strict=True):
                values[i] = made
            for old in operation.free:
                values[old] = nothing
        return [values[i] for i in self.graph.outputs.values()]

    def program(self, layout: Layout) -> list[Operation]:
        """What is done for a layout, which is kept for those asked for lately; they must not be changed."""
        known = self._programs.get(id(layout))
        if known is not None:
            return known[1]
        operations: list[Operation] = []
        free: list[int] = []
        for g, group in enumerate(self.graph.groups):
            free += self.free[g]
            if group.members[0] not in self.skipped or group.members[0] in self.chains:
                operations.append(Operation(group.members, self._run_of(g, layout), free))
                free = []
        if len(self._programs) >= MAX_PROGRAMS:
            self._programs.pop(next(iter(self._programs)))
        self._programs[id(layout)] = layout, operations
        return operations

    def _run_of(self, g: int, layout: Layout) -> Run:
        """How the values of a group are made of others."""
        first, spec = self.graph.groups[g].members[0], layout[g]
        if first in self.chains:
            return self._run_of_chain(self.chains[first], layout)
        passed_on = _passed_on(self.graph.values[first])
        if passed_on is not None and self.graph.groups[g].direction == 0:
            source, read = passed_on.source, leaf_reader(spec, 1, spec[0])
            return lambda inputs, values: [read(values[source])]
        step = self.steps[g]
        run = step.forward if isinstance(step, nn.Module) else step
        return lambda inputs, values: run(inputs, values, spec)

    def _run_of_chain(self, chain: _Chain, layout: Layout) -> Run:
        spec = layout[self.group_of[chain.affine]]
        source, rows, at = self.graph.values[chain.affine].taps[0].source, spec[0], 1
        if rows == 0:
            return lambda inputs, values: [nothing_like(values[source], 0, chain.bias.numel())]
        taps = []
        for _ in chain.weights:
            taps.append(leaf_reader(spec, at, rows))
            at += leaf_size(spec, at)
        spec = layout[self.group_of[chain.result]]
        starts, at = [], 1
        while chain.residual and at < len(spec):
            starts.append(at)
            at += leaf_size(spec, at)
        residual = [(leaf_reader(spec, starts[leaf], rows), other, scale) for leaf, other, scale in chain.residual]

        def run(inputs: list[Tensor], values: list[Tensor]) -> list[Tensor]:
            x = values[source]
            read = [tap(x).flatten(0, 1) for tap in taps]
            added = [(tap(values[other]).flatten(0, 1), scale) for tap, other, scale in residual]
            return [chain.compute(read, added).view(rows, x.size(1), -1)]

        return run


class SegmentInference:
    """The segments of utterances that have one layout (structure/segments.py).

    ``outputs, carried = segment(inputs, carried)``; ``carried`` is what the segment before left, per value; for the
    first one there is nothing.

    Args:
        inference: knows which values are carried over.
    """

    def __init__(self, inference: Inference, layout: SegmentLayout) -> None:
        self._num_values, self._outputs = len(inference.graph.values), list(inference.graph.outputs.values())
        self._operations = inference.program(layout.specs)
        self._kept = {i: leaf_reader(spec, 1, spec[0]) for i, spec in enumerate(layout.carried) if spec[0]}

    def __call__(self, inputs: list[Tensor], carried: dict[int, Tensor]) -> tuple[list[Tensor], dict[int, Tensor]]:
        nothing = nothing_like(inputs[0], 0, 1)
        values = [nothing] * self._num_values
        for i, earlier in carried.items():
            values[i] = earlier
        for operation in self._operations:
            for i, made in zip(operation.makes, operation.run(inputs, values), strict=True):
                values[i] = torch.cat([values[i], made]) if i in carried else made
        return [values[i] for i in self._outputs], {i: read(values[i]) for i, read in self._kept.items()}


def _passed_on(value: Value) -> Leaf | None:
    """The leaf that a descriptor is nothing but, if it is."""
    if len(value.parts) != 1 or not isinstance(value.parts[0][1], Leaf) or value.parts[0][1].scale != 1.0:
        return None
    return value.parts[0][1]
