"""Runs a network: one step per value of the graph, each reading rows of earlier values as a layout says.

Tensors are [T, N, D], time first, so that a run of frames is a contiguous block of memory. All of it can be scripted
(``torch.jit.script``); which rows are read is data (see layout.py), not code.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, List, Tuple, cast

import torch
from torch import Tensor, nn

from nnet3_compat.modules.base import ComponentModule
from nnet3_compat.modules.leaves import leaf_size, nothing_like, numbers_read, read_leaf
from nnet3_compat.network.joined_steps import find_joined_steps
from nnet3_compat.structure.graph import Graph, Group, Value, terms_of
from nnet3_compat.structure.layout import check_recurrence

# TorchScript wants typing.List in annotations.
# ruff: noqa: UP006, UP035


class Step(nn.Module):
    """Makes the value(s) of one group; ``free`` lists the values that nothing reads after it."""

    free: List[int]

    def __init__(self) -> None:
        super().__init__()
        self.free = []

    @torch.jit.unused
    def limited(self, inputs: List[Tensor], values: List[Tensor], spec: List[int], counting: List[int]) -> List[Tensor]:
        """As forward; derivatives count in rows ``counting[0]`` up to ``counting[1]`` only (per value)."""
        made = self(inputs, values, spec)[0]
        return [with_derivatives_in(made, counting[0], counting[1])]


class InputStep(Step):
    """The needed rows of a tensor that the caller gives; ``slot`` is its position among the inputs."""

    def __init__(self, slot: int) -> None:
        super().__init__()
        self.slot = slot

    def forward(self, inputs: List[Tensor], values: List[Tensor], spec: List[int]) -> List[Tensor]:
        return [read_leaf(inputs[self.slot], spec, 1, spec[0])]


class ColumnsStep(Step):
    """A range of the columns of another value."""

    def __init__(self, source: int, first: int, dim: int) -> None:
        super().__init__()
        self.source, self.first, self.dim = source, first, dim

    def forward(self, inputs: List[Tensor], values: List[Tensor], spec: List[int]) -> List[Tensor]:
        return [read_leaf(values[self.source], spec, 1, spec[0])[:, :, self.first : self.first + self.dim]]


class DescriptorStep(Step):
    """Append of sums of leaves and constants."""

    def __init__(self, value: Value) -> None:
        super().__init__()
        self.dims: List[int] = []
        self.terms: List[int] = []  # number of leaves of each part
        self.constants: List[float] = []
        self.sources: List[int] = []
        self.scales: List[float] = []
        self.swapped: List[bool] = []  # scaled + unscaled: one operation when taken the other way round
        for dim, part in value.parts:
            leaves, constant = terms_of(part)
            self.dims.append(dim)
            self.terms.append(len(leaves))
            self.constants.append(constant)
            self.sources += [leaf.source for leaf in leaves]
            self.scales += [leaf.scale for leaf in leaves]
            self.swapped.append(len(leaves) == 2 and leaves[0].scale != 1.0 and leaves[1].scale == 1.0)

    def forward(self, inputs: List[Tensor], values: List[Tensor], spec: List[int]) -> List[Tensor]:
        rows = spec[0]
        at = 1
        leaf = 0
        parts: List[Tensor] = []
        for p in range(len(self.dims)):
            total = torch.zeros([0])
            found = False
            first = 0
            if self.swapped[p]:
                after = at + leaf_size(spec, at)
                if spec[at] != 0 and spec[after] != 0:
                    scaled = read_leaf(values[self.sources[leaf]], spec, at, rows)
                    total = read_leaf(values[self.sources[leaf + 1]], spec, after, rows)
                    total = torch.add(total, scaled, alpha=self.scales[leaf])
                    at = after + leaf_size(spec, after)
                    leaf += 2
                    first = 2
                    found = True
            for _ in range(first, self.terms[p]):
                if spec[at] != 0:
                    x = read_leaf(values[self.sources[leaf]], spec, at, rows)
                    scale = self.scales[leaf]
                    if found:
                        total = torch.add(total, x, alpha=scale)
                    elif scale == 1.0:
                        total = x
                    else:
                        total = x * scale
                    found = True
                at += leaf_size(spec, at)
                leaf += 1
            if not found:
                total = nothing_like(inputs[0], rows, self.dims[p])
            if self.constants[p] != 0.0:
                total = total + self.constants[p]
            parts.append(total)
        if len(parts) == 1:
            return [parts[0]]
        return [torch.cat(parts, dim=2)]


class ComponentStep(Step):
    """A component outside of recurrences."""

    def __init__(self, component: ComponentModule[Any]) -> None:
        super().__init__()
        self.component = component


class PointwiseStep(ComponentStep):
    """A component whose output at t needs its input at t only."""

    def __init__(self, source: int, component: ComponentModule[Any], dim: int, uses_times: bool) -> None:
        super().__init__(component)
        self.source, self.dim, self.uses_times = source, dim, uses_times

    def forward(self, inputs: List[Tensor], values: List[Tensor], spec: List[int]) -> List[Tensor]:
        x = values[self.source]
        if spec[0] == 0:
            return [nothing_like(x, 0, self.dim)]
        x = read_leaf(x, spec, 1, spec[0])
        if not torch.jit.is_scripting() and self.training and self.uses_times:
            return [self.train_on(x, spec)]
        return [self.component(x)]

    @torch.jit.unused
    def train_on(self, x: Tensor, spec: List[int]) -> Tensor:
        """The component with the times of its rows."""
        times = torch.tensor(numbers_read(spec, 1 + leaf_size(spec, 1), spec[0]), device=x.device)
        return self.component.train_on(x, self.component.time_marks(times, x.size(1)))

    @torch.jit.unused
    def limited(self, inputs: List[Tensor], values: List[Tensor], spec: List[int], counting: List[int]) -> List[Tensor]:
        """See Step; rows whose derivatives do not count are computed apart, so that no update sees them."""
        if spec[0] == 0 or self.uses_times or self.component.SEES_ALL_ROWS:
            return super().limited(inputs, values, spec, counting)
        x = read_leaf(values[self.source], spec, 1, spec[0])
        return [compute_in_parts(self.component, x, counting[0], counting[1])]


class ConstantStep(ComponentStep):
    """A component without input."""

    def forward(self, inputs: List[Tensor], values: List[Tensor], spec: List[int]) -> List[Tensor]:
        return [self.component(nothing_like(inputs[0], spec[0], 1))]


class TapsStep(ComponentStep):
    """A component that sees several times of its input."""

    def __init__(self, source: int, taps: int, component: ComponentModule[Any], dim: int) -> None:
        super().__init__(component)
        self.source, self.taps, self.dim = source, taps, dim
        self.reads_taps = component.READS_TAPS

    @torch.jit.unused
    def train_on(self, x: Tensor, spec: List[int], rows: int) -> Tensor:
        """A component that reads its taps itself in training."""
        return self.component.train_on(x, spec, rows)

    def forward(self, inputs: List[Tensor], values: List[Tensor], spec: List[int]) -> List[Tensor]:
        x = values[self.source]
        rows = spec[0]
        if rows == 0:
            return [nothing_like(x, 0, self.dim)]
        if not torch.jit.is_scripting() and self.training and self.reads_taps:
            return [self.train_on(x, spec, rows)]
        taps: List[Tensor] = []
        valid: List[Tensor] = []
        one = torch.ones([1, 1, 1], dtype=x.dtype, device=x.device)
        at = 1
        for _ in range(self.taps):
            taps.append(read_leaf(x, spec, at, rows))
            if spec[at] == 1 and spec[at + 5] == rows:
                valid.append(one.expand(rows, 1, 1))
            elif spec[at] == 0:
                valid.append(torch.zeros([rows, 1, 1], dtype=x.dtype, device=x.device))
            else:
                valid.append(read_leaf(one.expand(x.size(0), 1, 1), spec, at, rows))
            at += leaf_size(spec, at)
        return [self.component(taps, valid)]


class Member(nn.Module):
    """One value of a recurrence, computed block by block.

    Its parts are sums of leaves from outside (made for all blocks beforehand) and from inside: of this block, or of
    a block some way back.
    """

    def __init__(self, value: Value, local: dict[int, int], component: ComponentModule[Any] | None) -> None:
        super().__init__()
        self.dims: List[int] = []
        self.constants: List[float] = []
        self.part: List[int] = []  # per leaf: its part
        self.sources: List[int] = []  # per leaf: a value outside, or a member
        self.inside: List[bool] = []
        self.scales: List[float] = []
        self.first, self.columns = value.first_column, value.dim
        self.is_columns = value.component is None and not value.parts
        self.has_component = component is not None
        self.uses_times = value.uses_times
        self.component: Any = component if component is not None else nn.Identity()
        parts = [(d, *terms_of(e)) for d, e in value.parts] or [(0, value.taps, 0.0)]
        for p, (dim, leaves, constant) in enumerate(parts):
            self.dims.append(dim)
            self.constants.append(constant)
            for leaf in leaves:
                self.part.append(p)
                self.inside.append(leaf.source in local)
                self.sources.append(local.get(leaf.source, leaf.source))
                self.scales.append(leaf.scale)

    def outside(
        self, values: List[Tensor], spec: List[int], at: int, rows: int, like: Tensor
    ) -> Tuple[List[Tensor], int]:
        """Per part, what comes from outside for all rows (empty where nothing does); and where the spec goes on."""
        out: List[Tensor] = []
        for c in self.constants:
            if c != 0.0:
                out.append(torch.full([rows, 1, 1], c, dtype=like.dtype, device=like.device))
            else:
                out.append(torch.zeros([0, 0, 0], dtype=like.dtype, device=like.device))
        for i in range(len(self.sources)):
            if self.inside[i]:
                at += 1
            else:
                if spec[at] != 0:
                    x = read_leaf(values[self.sources[i]], spec, at, rows) * self.scales[i]
                    p = self.part[i]
                    out[p] = x if out[p].size(0) == 0 else out[p] + x
                at += leaf_size(spec, at)
        return out, at

    def forward(
        self, outside: List[Tensor], spec: List[int], at: int, block: int, done: int, rows: int, like: Tensor,
        history: List[List[Tensor]], marks: List[Tensor], counting: List[int],
    ) -> Tensor:  # fmt: skip
        """Block number ``block`` of this member, to be number ``done`` of its history, from what ``outside`` gives for
        its rows; ``counting``: those whose derivatives count, if they are not all."""
        parts = outside
        for i in range(len(self.sources)):
            if self.inside[i]:
                from_block = done - spec[at]
                at += 1
                if from_block >= 0:
                    x = history[self.sources[i]][from_block]
                    if self.scales[i] != 1.0:
                        x = x * self.scales[i]
                    p = self.part[i]
                    parts[p] = x if parts[p].size(0) == 0 else parts[p] + x
            else:
                at += leaf_size(spec, at)
        for p in range(len(parts)):
            if parts[p].size(0) == 0:
                parts[p] = nothing_like(like, rows, self.dims[p] if self.dims[p] > 0 else self.columns)
            elif parts[p].size(1) != like.size(1) or parts[p].size(2) == 1:
                parts[p] = parts[p].expand(rows, like.size(1), self.dims[p])
        x = parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)
        if self.is_columns:
            return x[:, :, self.first : self.first + self.columns]
        if not torch.jit.is_scripting() and len(counting) > 0 and self.has_component and len(marks) == 0:
            return self.limited(x, counting)
        if len(marks) > 0:
            return self.train_on(x, marks[0][block * rows : (block + 1) * rows])
        if self.has_component:
            return self.component(x)
        return x

    @torch.jit.unused
    def train_on(self, x: Tensor, marks: Tensor) -> Tensor:
        """In training, a component that wants to know times."""
        return self.component.train_on(x, marks)

    @torch.jit.unused
    def limited(self, x: Tensor, counting: List[int]) -> Tensor:
        """In training, where derivatives count in some rows only."""
        if self.component.SEES_ALL_ROWS:
            return self.component(x)
        return compute_in_parts(self.component, x, counting[0], counting[1])


class RecurrentStep(Step):
    """The values of a recurrence, in a loop over blocks of rows."""

    def __init__(self, members: List[Member], dims: List[int]) -> None:
        super().__init__()
        self.members = cast("list[Member]", nn.ModuleList(members))
        self.dims = dims

    def forward(self, inputs: List[Tensor], values: List[Tensor], spec: List[int]) -> List[Tensor]:
        no_limit: List[int] = []
        return self.compute(inputs, values, spec, no_limit)

    @torch.jit.unused
    def limited(self, inputs: List[Tensor], values: List[Tensor], spec: List[int], counting: List[int]) -> List[Tensor]:
        return self.compute(inputs, values, spec, counting)

    def compute(self, inputs: List[Tensor], values: List[Tensor], spec: List[int], counting: List[int]) -> List[Tensor]:
        """Block by block; ``counting``: per member the rows whose derivatives count, if they are not all."""
        rows, blocks, direction = spec[0], spec[1], spec[2]
        like = inputs[0]
        out: List[Tensor] = []
        if blocks == 0:
            for dim in self.dims:
                out.append(nothing_like(like, 0, dim))
            return out
        outside: List[List[Tensor]] = []
        history: List[List[Tensor]] = []
        starts: List[int] = []
        valid: List[int] = []  # where in the spec the valid rows of each member are
        scattered: List[Tensor] = []
        at = 3
        for outer in self.members:  # TorchScript unrolls both loops and wants two names
            valid.append(at)
            if spec[at] < 0:
                scattered.append(rows_read(spec, at + 2, rows * blocks, like))
                at += leaf_size(spec, at + 2)
            else:
                scattered.append(torch.zeros([0], device=like.device))
            starts.append(at + 2)
            made, at = outer.outside(values, spec, at + 2, rows * blocks, like)
            outside.append(made)
            empty: List[Tensor] = []
            history.append(empty)
        marks: List[List[Tensor]] = []
        if not torch.jit.is_scripting() and self.training:
            marks = self.time_marks(spec, at, valid, scattered, like)
        else:
            for _ in self.dims:
                no_marks: List[Tensor] = []
                marks.append(no_marks)
        if not torch.jit.is_scripting() and self.training:  # one derivative for all blocks, as a slice's is of all rows
            cut = [[part.split(rows) if len(part) else [part] * blocks for part in parts] for parts in outside]
        for done in range(blocks):
            block = done if direction < 0 else blocks - 1 - done
            low, high = block * rows, (block + 1) * rows
            for m, member in enumerate(self.members):
                here: List[int] = []
                if len(counting) > 0:
                    here = [max(min(row - low, rows), 0) for row in counting[2 * m : 2 * m + 2]]
                given: List[Tensor] = []
                if not torch.jit.is_scripting() and self.training:
                    given = [blocks_of[block] for blocks_of in cut[m]]
                else:
                    for part in outside[m]:
                        given.append(part[low:high] if part.size(0) > 0 else part)
                x = member(given, spec, starts[m], block, done, rows, like, history, marks[m], here)
                if not torch.jit.is_scripting() and len(here) > 0:
                    x = with_derivatives_in(x, here[0], here[1])
                first, end = spec[valid[m]], spec[valid[m] + 1]
                if first < 0:  # rows that are not computable must read as zero
                    x = x * scattered[m][low:high]
                elif first > low or end < high:
                    row = torch.arange(low, high, device=x.device)
                    keep = (row >= first) & (row < end)
                    x = x * keep.to(x.dtype).view(-1, 1, 1)
                history[m].append(x)
        for m in range(len(history)):
            made_blocks = history[m]
            if direction > 0:
                made_blocks.reverse()
            every = torch.cat(made_blocks, dim=0)
            first, end = spec[valid[m]], spec[valid[m] + 1]
            if first < 0:
                out.append(read_leaf(every, spec, valid[m] + 2, end))
            else:
                out.append(every[first:end])
        return out

    @torch.jit.unused
    def time_marks(
        self, spec: List[int], at: int, valid: List[int], scattered: List[Tensor], like: Tensor
    ) -> List[List[Tensor]]:
        """What each component that wants to know times makes of those of its rows, and of rows that it does not have:
        0; for other members nothing. ``spec[at]``: where the times begin."""
        rows = spec[0] * spec[1]
        out: List[List[Tensor]] = []
        for m, member in enumerate(self.members):
            if not member.uses_times:
                out.append([])
                continue
            times = torch.tensor(numbers_read(spec, at, rows), device=like.device)
            at += leaf_size(spec, at)
            marks = member.component.time_marks(times, like.size(1))
            first, end = spec[valid[m]], spec[valid[m] + 1]
            if first < 0:
                marks = marks * scattered[m][:, :, 0].to(marks.dtype)
            else:
                marks[:first], marks[end:] = 0, 0
            out.append([marks])
        return out


def with_derivatives_in(x: Tensor, first: int, end: int) -> Tensor:
    """x [T, N, D], with a derivative that is zero outside of rows ``first`` up to ``end``."""
    if not x.requires_grad or (first <= 0 and end >= x.size(0)):
        return x
    return torch.cat([x[:first].detach(), x[first:end], x[max(first, end) :].detach()])


def compute_in_parts(component: Any, x: Tensor, first: int, end: int) -> Tensor:
    """y [T, N, D] of x; outside of rows ``first`` up to ``end`` without derivatives.

    A component that has no row within does not store statistics, as in Kaldi (nnet3/nnet-optimize-utils.cc,
    DerivativeTimeLimiter). BackpropTruncation counts rows with derivatives only, there others too.
    """
    if first <= 0 and end >= x.size(0):
        return component(x)
    if first >= end:
        with torch.no_grad(), storing_nothing(component):
            return component(x)
    with torch.no_grad():
        before, after = (component(part) if part.size(0) else None for part in (x[:first], x[end:]))
    within = component(x[first:end])
    return torch.cat([part for part in (before, within, after) if part is not None])


@contextlib.contextmanager
def storing_nothing(component: Any) -> Iterator[None]:
    """The component is not in training, unless it draws at random there."""
    training = component.training
    component.train(training and component.component.is_random)
    try:
        yield
    finally:
        component.train(training)


def rows_read(spec: List[int], at: int, rows: int, like: Tensor) -> Tensor:
    """[rows, 1, 1]: 1 for the rows of the source that a leaf reads, else 0."""
    out = torch.zeros([rows, 1, 1], dtype=like.dtype, device=like.device)
    n = spec[at]
    if n < 0:
        count = spec[at + 1]
        source = torch.tensor(spec[at + 2 + count : at + 2 + 2 * count], dtype=torch.long, device=like.device)
        return out.index_fill(0, source, 1.0)
    for i in range(n):
        k = at + 1 + 5 * i
        out[spec[k + 2] : spec[k + 2] + (spec[k + 4] - 1) * spec[k + 3] + 1 : spec[k + 3]] = 1.0
    return out


class Executor(nn.Module):
    """The steps of a graph, in order.

    ``forward(inputs, layout)``: ``inputs`` are [T, N, D] tensors in the order of ``input_names``, ``layout`` is from
    layout.make_layout; the result holds one [T, N, D] tensor per name in ``output_names``.
    """

    def __init__(self, graph: Graph, components: dict[str, ComponentModule[Any]]) -> None:
        super().__init__()
        self.input_names: List[str] = list(graph.inputs)
        self.output_names: List[str] = list(graph.outputs)
        self.output_ids: List[int] = list(graph.outputs.values())
        steps = [self._step(graph, group, components) for group in graph.groups]
        last_read = {i: g for g, group in enumerate(graph.groups) for i in group.members}
        for g, group in enumerate(graph.groups):
            for i in group.members:
                for leaf in graph.values[i].leaves():
                    last_read[leaf.source] = g
        for i, g in last_read.items():
            if i not in self.output_ids:
                steps[g].free.append(i)
        self.steps = cast("list[Step]", nn.ModuleList(steps))
        self.joined: Any = find_joined_steps(graph, components)

    def _step(self, graph: Graph, group: Group, components: dict[str, ComponentModule[Any]]) -> Step:
        if group.direction != 0:
            check_recurrence(graph, group)
            local = {i: m for m, i in enumerate(group.members)}
            values = [graph.values[i] for i in group.members]
            members = [Member(v, local, components[v.component] if v.component else None) for v in values]
            return RecurrentStep(members, [v.dim for v in values])
        value = graph.values[group.members[0]]
        if value.is_input:
            return InputStep(self.input_names.index(value.node) if value.x == 0 else 0)
        if value.parts:
            return DescriptorStep(value)
        if value.component is not None and not value.taps:
            return ConstantStep(components[value.component])
        source = value.taps[0].source
        if value.component is None:
            return ColumnsStep(source, value.first_column, value.dim)
        component = components[value.component]
        if value.tap_rule is None:
            return PointwiseStep(source, component, value.dim, value.uses_times)
        return TapsStep(source, len(value.taps), component, value.dim)

    @torch.jit.unused
    def train_on(self, inputs: List[Tensor], layout: List[List[int]]) -> List[Tensor]:
        """As forward, with steps joined where they can be."""
        values: List[Tensor] = []
        known: dict[int, Tensor] = {}
        for i, step in enumerate(self.steps):
            here = len(values)
            if here in self.joined:
                known.update(self.joined[here].compute(values, layout))
            values += [known.pop(here)] if here in known else step(inputs, values, layout[i])
            for old in step.free:
                values[old] = nothing_like(values[old], 0, 1)
        return [values[i] for i in self.output_ids]

    def forward(self, inputs: List[Tensor], layout: List[List[int]]) -> List[Tensor]:
        if not torch.jit.is_scripting() and self.training and len(layout) == len(self.steps):
            return self.train_on(inputs, layout)
        values: List[Tensor] = []
        for i, step in enumerate(self.steps):
            if not torch.jit.is_scripting() and len(layout) > len(self.steps):
                values += step.limited(inputs, values, layout[i], layout[-1][2 * len(values) :])
            else:
                for made in step(inputs, values, layout[i]):
                    values.append(made)
            for old in step.free:
                values[old] = nothing_like(values[old], 0, 1)
        return [values[i] for i in self.output_ids]
