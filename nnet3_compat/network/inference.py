"""A network for computing only: what affine maps are followed by is folded into them (folded/folding.py).

What is left per layer, matrix products, a relu and a sum, is done in place on blocks of rows that stay in the cache.
The result reads the same layouts as the Executor that it is made of and gives the same outputs, up to rounding. It
holds its own weights: make it again when parameters change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nnet3_compat.folded.folding import Chain, Folding, Parameters, passed_on
from nnet3_compat.modules.base import ComponentModule
from nnet3_compat.modules.leaves import leaf_reader, leaf_size, nothing_like
from nnet3_compat.network.executor import ComponentStep, Executor
from nnet3_compat.network.recurrent_inference import RecurrentInference
from nnet3_compat.structure.graph import Graph
from nnet3_compat.structure.layout import Layout
from nnet3_compat.structure.segments import SegmentLayout

MAX_PROGRAMS = 64
BLOCK_ROWS = 512  # as few as matrix products run at full speed with, so that what follows finds the block in the cache


class _Chain:
    """A chain on the device and in the type of its weights."""

    def __init__(self, chain: Chain, taps: int, like: Tensor) -> None:
        self.folded = chain
        weight, self._bias, self._offset = (
            torch.from_numpy(x).to(like) for x in (chain.weight, chain.bias, chain.offset)
        )
        # Per tap [D_in, D_out]; a view of [D_out, D_in], which is faster for few rows.
        self._weights = [part.contiguous().t() for part in weight.chunk(taps, dim=1)]

    @property
    def dim(self) -> int:
        return self._bias.numel()

    def compute(self, taps: list[Tensor], added: list[tuple[Tensor, float]]) -> Tensor:
        """[rows, D_out] of what each tap reads [rows, D_in], and of what is added, with its scale."""
        total = len(taps[0])
        blocks = 1 if taps[0].is_cuda else max(1, total // BLOCK_ROWS)
        if blocks == 1:
            return self._finish(torch.addmm(self._bias, taps[0], self._weights[0]), taps, added, slice(None))
        out = torch.empty(total, self.dim, dtype=taps[0].dtype, device=taps[0].device)
        size = -(-total // blocks)
        for start in range(0, total, size):
            rows = slice(start, start + size)
            self._finish(torch.addmm(self._bias, taps[0][rows], self._weights[0], out=out[rows]), taps, added, rows)
        return out

    def _finish(self, y: Tensor, taps: list[Tensor], added: list[tuple[Tensor, float]], rows: slice) -> Tensor:
        for tap, weight in zip(taps[1:], self._weights[1:], strict=True):
            y.addmm_(tap[rows], weight)
        if self.folded.relu:
            y.relu_()
        for other, scale in added:
            y.add_(other[rows], alpha=scale)
        if self.folded.add_offset:
            y.add_(self._offset)
        return y


Run = Callable[[list[Tensor], list[Tensor]], list[Tensor]]
"""From the inputs and all values so far, [rows, N, dim] each, to new values."""


@dataclass
class Operation:
    """``run`` gives the values ``makes``; nothing reads those of ``free`` after it."""

    makes: list[int]
    run: Run
    free: list[int]


class Inference:
    """``inference(inputs, layout)`` as the Executor; see the top of this file.

    Args:
        graph, executor: of a Network in test mode, on the device where this is to run.
        carried: the values of which segments of utterances leave something to later ones.
    """

    def __init__(self, graph: Graph, executor: Executor, carried: Collection[int] = ()) -> None:
        self.graph, self.executor = graph, executor
        self._programs: dict[int, tuple[Layout, list[Operation]]] = {}
        modules: dict[int, ComponentModule[Any]] = {}
        for step, group in zip(executor.steps, graph.groups, strict=True):
            if isinstance(step, ComponentStep):
                modules[group.members[0]] = step.component
        self.steps: list[Callable[..., list[Tensor]]] = list(executor.steps)
        for g, group in enumerate(graph.groups):
            if group.direction != 0:
                members: Any = executor.steps[g].members
                found = {i: m.component for i, m in zip(group.members, members, strict=True) if m.has_component}
                self.steps[g] = RecurrentInference(graph, group, found, carried)
        components = {i: module.component for i, module in modules.items()}
        parameters = Parameters(
            lambda i: _arrays(modules[i].affine()), lambda i: _arrays(modules[i].scale_and_offset())
        )
        self.folding = Folding(graph, components, parameters)
        self._chains = {
            i: _Chain(chain, len(graph.values[chain.affine].taps), modules[chain.affine].affine()[0].detach())
            for i, chain in self.folding.chains.items()
        }

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
            free += self.folding.free[g]
            if self.folding.is_made(g):
                operations.append(Operation(group.members, self._run_of(g, layout), free))
                free = []
        if len(self._programs) >= MAX_PROGRAMS:
            self._programs.pop(next(iter(self._programs)))
        self._programs[id(layout)] = layout, operations
        return operations

    def _run_of(self, g: int, layout: Layout) -> Run:
        """How the values of a group are made of others."""
        first, spec = self.graph.groups[g].members[0], layout[g]
        if first in self._chains:
            return self._run_of_chain(self._chains[first], layout)
        leaf = passed_on(self.graph.values[first])
        if leaf is not None and self.graph.groups[g].direction == 0:
            source, read = leaf.source, leaf_reader(spec, 1, spec[0])
            return lambda inputs, values: [read(values[source])]
        step = self.steps[g]
        run = step.forward if isinstance(step, nn.Module) else step
        return lambda inputs, values: run(inputs, values, spec)

    def _run_of_chain(self, chain: _Chain, layout: Layout) -> Run:
        folded, group_of = chain.folded, self.folding.group_of
        spec = layout[group_of[folded.affine]]
        leaves, rows, at = self.graph.values[folded.affine].taps, spec[0], 1
        source = leaves[0].source
        if rows == 0:
            return lambda inputs, values: [nothing_like(values[source], 0, chain.dim)]
        taps = []
        for _ in leaves:
            taps.append(leaf_reader(spec, at, rows))
            at += leaf_size(spec, at)
        spec = layout[group_of[folded.result]]
        starts, at = [], 1
        while folded.residual and at < len(spec):
            starts.append(at)
            at += leaf_size(spec, at)
        residual = [(leaf_reader(spec, starts[leaf], rows), other, scale) for leaf, other, scale in folded.residual]

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


def _arrays(tensors: tuple[Tensor, Tensor | None]) -> Any:
    return tuple(None if x is None else np.array(x.detach().cpu().numpy()) for x in tensors)
