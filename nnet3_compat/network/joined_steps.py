"""Runs of steps that training computes as one operation: a rectified linear unit and what follows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nnet3_compat.modules.affine import Affine, FixedAffine, Linear
from nnet3_compat.modules.dropout import GeneralDropout
from nnet3_compat.modules.leaves import leaf_size, read_leaf
from nnet3_compat.modules.nonlinear import RectifiedLinear
from nnet3_compat.modules.normalize import BatchNorm
from nnet3_compat.modules.rectified_norm import Added, RectifiedNorm
from nnet3_compat.modules.tdnn import Tdnn
from nnet3_compat.structure.graph import Graph, Leaf, terms_of

KEEP_NO_OUTPUT = (Affine, FixedAffine, Linear, Tdnn)
"""Modules whose derivative needs their input only, so that what they made may be overwritten."""


@dataclass
class Bypass:
    """Of a sum of two leaves, that which is not of the run: whether it comes first, what it reads and its factor."""

    first: bool
    source: int
    factor: float


@dataclass
class JoinedSteps:
    """The values from ``members[0]``, the unit's, to ``members[-1]``, the only one that others read.

    ``steps``: the numbers of the steps that make them; ``source``: what the unit reads.
    """

    operation: RectifiedNorm
    source: int
    members: list[int]
    steps: list[int]
    bypass: Bypass | None

    def compute(self, values: list[Tensor], layout: list[list[int]]) -> dict[int, Tensor]:
        """Value -> tensor, of those within an empty one; nothing where the steps must be computed one by one."""
        specs = [layout[step] for step in self.steps]
        rows, x = specs[0][0], values[self.source]
        if rows == 0 or not self.operation.can_compute(x):
            return {}
        within = specs[1:] if self.bypass is None else specs[1:-1]
        if not all(spec[0] == rows and _reads_all(spec, 1, rows) for spec in within):
            return {}
        added = None
        if self.bypass is not None:
            spec = specs[-1]
            first, second = 1, 1 + leaf_size(spec, 1)
            outer, inner = (first, second) if self.bypass.first else (second, first)
            if spec[0] != rows or not _reads_all(spec, inner, rows) or spec[outer] == 0:
                return {}
            added = Added.read(values[self.bypass.source], spec, outer, rows, self.bypass.factor)
        made = {member: torch.empty(0, x.size(1), 1) for member in self.members}
        made[self.members[-1]] = self.operation(read_leaf(x, specs[0], 1, rows), added)
        return made


def _reads_all(spec: list[int], at: int, rows: int) -> bool:
    """Whether a leaf reads the first ``rows`` rows in their order."""
    return spec[at : at + 6] == [1, 0, 1, 0, 1, rows]


class _Finder:
    def __init__(self, graph: Graph, components: Mapping[str, Any]) -> None:
        self._values, self._components = graph.values, components
        self._outputs = set(graph.outputs.values())
        self._recurrent = {i for group in graph.groups if group.direction != 0 for i in group.members}
        self._readers: dict[int, list[int]] = defaultdict(list)
        for i, value in enumerate(graph.values):
            for leaf in value.leaves():
                self._readers[leaf.source].append(i)

    def module(self, i: int | None) -> Any:
        """Of the component that makes a value; None where it is none, or of a recurrence."""
        if i is None or i in self._recurrent:
            return None
        return self._components.get(self._values[i].component or "")

    def reader(self, i: int | None) -> int | None:
        """The only value that reads a value, if there is one."""
        found = [] if i is None else self._readers[i]
        return found[0] if len(found) == 1 and i not in self._outputs else None

    def terms(self, i: int | None) -> list[Leaf]:
        """What a value adds up; nothing where it is more than a sum."""
        if i is None or i in self._recurrent or len(self._values[i].parts) != 1:
            return []
        leaves, constant = terms_of(self._values[i].parts[0][1])
        return [] if constant else leaves

    def forwards(self, i: int | None) -> bool:
        """Whether a value is another one, as it is."""
        leaves = self.terms(i)
        return len(leaves) == 1 and leaves[0].scale == 1.0

    def with_next(self, members: list[int], kind: type[Any]) -> list[int] | None:
        """With the component of a kind that alone reads the last one, and its input."""
        between = self.reader(members[-1])
        component = self.reader(between)
        if between is None or component is None or not self.forwards(between):
            return None
        return [*members, between, component] if isinstance(self.module(component), kind) else None

    def may_be_overwritten(self, i: int) -> bool:
        """Whether nobody needs what a unit reads once it has been read."""
        source = self._values[i].taps[0].source
        if self.forwards(source):
            below = self.terms(source)[0].source
            return self.reader(source) == i and self.reader(below) == source and self._keeps_no_output(below)
        return self.reader(source) == i and self._keeps_no_output(source)

    def _keeps_no_output(self, i: int) -> bool:
        return isinstance(self.module(i), KEEP_NO_OUTPUT)

    def bypass(self, total: int | None, member: int, first: int) -> Bypass | None:
        """What a value adds to a member, where it was made before the first one."""
        leaves = self.terms(total)
        if len(leaves) != 2:
            return None
        for outer, inner in (leaves, leaves[::-1]):
            if inner.source == member and inner.scale == 1.0 and outer.source < first:
                return Bypass(outer is leaves[0], outer.source, outer.scale)
        return None


def find_joined_steps(graph: Graph, components: Mapping[str, Any]) -> dict[int, JoinedSteps]:
    """The first value of each run -> the run. ``components``: by name."""
    find, made = _Finder(graph, components), {}
    step_of = {i: number for number, group in enumerate(graph.groups) for i in group.members}
    for i, value in enumerate(graph.values):
        unit = find.module(i)
        members = find.with_next([i], BatchNorm) if isinstance(unit, RectifiedLinear) else None
        if members is None:
            continue
        norm, dropout = find.module(members[-1]), None
        if (longer := find.with_next(members, GeneralDropout)) is not None:
            members, dropout = longer, find.module(longer[-1])
        total = find.reader(members[-1])
        bypass = find.bypass(total, members[-1], i)
        if bypass is not None and total is not None:
            members = [*members, total]
        operation = RectifiedNorm(unit, norm, dropout, find.may_be_overwritten(i))
        steps = [step_of[member] for member in members]
        made[i] = JoinedSteps(operation, value.taps[0].source, members, steps, bypass)
    return made
