"""A recurrence for computing only: less to do per block of rows than in executor.RecurrentStep, for the same numbers.

Affine maps are split by columns: what they make of values from outside of the recurrence is one matrix product for all
rows beforehand, and only the part that reads the recurrence itself is left in the loop. Values that only pass on
another one cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nnet3_compat.modules.base import ComponentModule
from nnet3_compat.modules.leaves import leaf_size, nothing_like, read_leaf
from nnet3_compat.network.executor import rows_read
from nnet3_compat.structure.graph import Graph, Group, Leaf, terms_of


@dataclass
class _Input:
    """Parts of what a member reads: per part its dimension, constant and (leaf, its number among the leaves)."""

    member: int  # whose spec has the leaves
    dims: list[int]
    constants: list[float]
    leaves: list[list[tuple[Leaf, int]]]


@dataclass
class _Op:
    """What to do for one member: pass on ``alias``, or put together ``given``, or run ``module`` on ``source``."""

    alias: int = -1
    given: _Input | None = None
    source: int = -1
    module: nn.Module | None = None
    weights: list[Tensor] | None = None  # per part of ``given``, [dim, out]
    bias: Tensor | None = None
    columns: tuple[int, int] | None = None
    skip: bool = False


class RecurrentInference:
    """Called as a RecurrentStep; members that nothing outside of the recurrence reads come out empty.

    Args:
        modules: the component module of each value that has one.
        carried: values of which later segments of an utterance read something; see layout.py.
    """

    def __init__(
        self, graph: Graph, group: Group, modules: dict[int, ComponentModule[Any]], carried: Collection[int] = ()
    ) -> None:
        self.graph, self.group = graph, group
        self.local = {i: m for m, i in enumerate(group.members)}
        readers: dict[int, list[int]] = {i: [] for i in group.members}
        for i, v in enumerate(graph.values):
            for leaf in v.leaves():
                if leaf.source in readers:
                    readers[leaf.source].append(i)
        wanted = {*graph.outputs.values(), *carried}
        self.read_outside = [i in wanted or any(r not in self.local for r in readers[i]) for i in group.members]
        self.ops = [_Op() for _ in group.members]
        for m, i in enumerate(group.members):
            v = graph.values[i]
            if v.parts:
                given = self._input(m, i)
                every = [leaf for part in given.leaves for leaf, _ in part]
                plain = len(given.dims) == len(every) == 1 and not given.constants[0]
                if plain and every[0].source in self.local and every[0].scale == 1.0 and not every[0].maps:
                    self.ops[m] = _Op(alias=self.local[every[0].source])
                else:
                    self.ops[m] = _Op(given=given)
                continue
            below = self.local[v.taps[0].source]
            if v.component is None:
                self.ops[m] = _Op(source=below, columns=(v.first_column, v.first_column + v.dim))
                continue
            module = modules[i]
            source_op = self.ops[below]
            only_reader = len(readers[v.taps[0].source]) == 1 and not self.read_outside[below]
            if module.component.is_identity:
                self.ops[m] = _Op(alias=below)
            elif module.component.is_affine and source_op.given is not None and only_reader:
                weight, bias = module.affine()
                split = [w.t().contiguous() for w in weight.detach().split(source_op.given.dims, dim=1)]
                self.ops[m] = _Op(given=source_op.given, weights=split, bias=None if bias is None else bias.detach())
                source_op.skip = True
            else:
                self.ops[m] = _Op(source=below, module=module)

    def _input(self, m: int, i: int) -> _Input:
        given = _Input(m, [], [], [])
        number = 0
        for dim, part in self.graph.values[i].parts:
            leaves, constant = terms_of(part)
            given.dims.append(dim)
            given.constants.append(constant)
            given.leaves.append([(leaf, number + k) for k, leaf in enumerate(leaves)])
            number += len(leaves)
        return given

    def __call__(self, inputs: list[Tensor], values: list[Tensor], spec: list[int]) -> list[Tensor]:
        rows, blocks, direction = spec[0], spec[1], spec[2]
        like = inputs[0]
        if blocks == 0:
            return [nothing_like(like, 0, self.graph.values[i].dim) for i in self.group.members]
        starts: list[list[int]] = []  # per member, where its leaves are
        valid: list[tuple[int, int]] = []
        masks: list[Tensor | None] = []
        picks: list[int] = []
        at, total = 3, rows * blocks
        for i in self.group.members:
            first, end = spec[at], spec[at + 1]
            valid.append((first, end))
            at += 2
            picks.append(at)
            if first < 0:
                masks.append(rows_read(spec, at, total, like))
                at += leaf_size(spec, at)
            elif first > 0 or end < total:
                mask = torch.zeros([total, 1, 1], dtype=like.dtype, device=like.device)
                mask[first:end] = 1.0
                masks.append(mask)
            else:
                masks.append(None)
            mine = []
            for leaf in self.graph.values[i].leaves():
                mine.append(at)
                at += 1 if leaf.source in self.local else leaf_size(spec, at)
            starts.append(mine)

        def read(member: int, k: int) -> Tensor | None:
            source, there = self.leaf(member, k).source, starts[member][k]
            return read_leaf(values[source], spec, there, total) if spec[there] != 0 else None

        outside = self.outside(read, total, like)
        inner = self.inner(lambda member, k: spec[starts[member][k]])
        before, known = self._known_blocks(values, spec, at)
        history = [list(each[:before]) for each in known]
        for done in range(before, before + blocks):
            block = done - before if direction < 0 else before + blocks - 1 - done
            low = block * rows
            for m, op in enumerate(self.ops):
                if op.skip:
                    continue
                given = [None if p is None else p[low : low + rows] for p in outside[m]]
                x = self.member(m, given, inner[m], history, done, rows, like)
                keep = masks[m]
                if keep is not None and (valid[m][0] < 0 or valid[m][0] > low or valid[m][1] < low + rows):
                    x = x * keep[low : low + rows]
                    if known[m]:
                        x = x + known[m][done]
                history[m].append(x)
        out = []
        for m, i in enumerate(self.group.members):
            if not self.read_outside[m]:
                out.append(nothing_like(like, 0, self.graph.values[i].dim))
                continue
            made = history[m][before:] if direction < 0 else history[m][before:][::-1]
            every = torch.cat(made, dim=0)
            first, end = valid[m]
            out.append(read_leaf(every, spec, picks[m], end) if first < 0 else every[first:end])
        return out

    def leaf(self, member: int, k: int) -> Leaf:
        """Leaf number k of a member."""
        return self.graph.values[self.group.members[member]].leaves()[k]

    def outside(self, read: Callable[[int, int], Tensor | None], total: int, like: Tensor) -> list[list[Tensor | None]]:
        """Per member and part, or for an affine map of all parts together, what comes from outside for all blocks.

        Args:
            read: of (member, leaf), [total, N or 1, dim] from outside, or None.
        """
        return [self._outside(op, read, total, like) for op in self.ops]

    def inner(self, back: Callable[[int, int], int | None]) -> list[list[list[tuple[int, int, float]]]]:
        """Per member and part, (member, blocks back, scale) of what is read within the recurrence.

        Args:
            back: of (member, leaf) from inside, how many blocks it looks back; None: it never finds one.
        """
        return [self._inner(op, back) for op in self.ops]

    def member(
        self,
        m: int,
        given: list[Tensor | None],
        inner: list[list[tuple[int, int, float]]],
        history: list[list[Tensor]],
        done: int,
        rows: int,
        like: Tensor,
    ) -> Tensor:
        """A block of a member that is not skipped, number ``done`` of its history.

        Args:
            given: the rows of the block in what ``outside`` made for the member.
            inner: what ``inner`` made for it.
            history: per member, its blocks; those of members before it have this one already.
        """
        op = self.ops[m]
        if op.alias >= 0:
            return history[op.alias][done]
        if op.columns is not None:
            return history[op.source][done][:, :, op.columns[0] : op.columns[1]]
        if op.module is not None:
            return op.module.forward(history[op.source][done])
        return self._assemble(op, given, inner, history, done, rows, like)

    def _known_blocks(self, values: list[Tensor], spec: list[int], at: int) -> tuple[int, list[list[Tensor]]]:
        """How many blocks there are before the first one to compute, and per member all blocks in the order of
        computation, zero where no row is carried over from earlier segments; empty where none is in any.

        ``at``: where in the spec this is told, if it is.
        """
        if at == len(spec):
            return 0, [[] for _ in self.ops]
        rows, blocks, direction, before = spec[0], spec[1], spec[2], spec[at]
        at += 1
        known: list[list[Tensor]] = []
        for i in self.group.members:
            x = values[i] if spec[at] else nothing_like(values[i], 0, self.graph.values[i].dim)
            every = list(read_leaf(x, spec, at, (before + blocks) * rows).split(rows)) if before or spec[at] else []
            known.append(every[:: direction * -1])
            at += leaf_size(spec, at)
        return before, known

    def _outside(
        self, op: _Op, read: Callable[[int, int], Tensor | None], total: int, like: Tensor
    ) -> list[Tensor | None]:
        """[total, N or 1, dim] each."""
        if op.given is None or op.skip:
            return []
        given = op.given
        parts: list[Tensor | None] = []
        for constant, leaves in zip(given.constants, given.leaves, strict=True):
            made: Tensor | None = None
            for leaf, k in leaves:
                x = None if leaf.source in self.local else read(given.member, k)
                if x is not None:
                    x = x if leaf.scale == 1.0 else x * leaf.scale
                    made = x if made is None else made + x
            if constant:
                made = like.new_full([total, 1, 1], constant) if made is None else made + constant
            parts.append(made)
        if op.weights is None:
            return [
                None if p is None else p.expand(total, like.size(1), dim)
                for p, dim in zip(parts, given.dims, strict=True)
            ]
        dim = op.weights[0].shape[1]
        start = like.new_zeros(dim) if op.bias is None else op.bias
        y = start.expand(total * like.size(1), dim)
        for part, weight, width in zip(parts, op.weights, given.dims, strict=True):
            if part is not None:
                y = torch.addmm(y, part.expand(total, like.size(1), width).reshape(-1, width), weight)
        return [y.view(total, like.size(1), dim)]

    def _inner(self, op: _Op, back: Callable[[int, int], int | None]) -> list[list[tuple[int, int, float]]]:
        """See ``inner``."""
        if op.given is None:
            return []
        parts = []
        for leaves in op.given.leaves:
            found = [(leaf, back(op.given.member, k)) for leaf, k in leaves if leaf.source in self.local]
            parts.append([(self.local[leaf.source], n, leaf.scale) for leaf, n in found if n is not None])
        return parts

    def _assemble(
        self,
        op: _Op,
        outside: list[Tensor | None],
        inner: list[list[tuple[int, int, float]]],
        history: list[list[Tensor]],
        done: int,
        rows: int,
        like: Tensor,
    ) -> Tensor:
        assert op.given is not None
        parts: list[Tensor | None] = []
        for terms in inner:
            x: Tensor | None = None
            for source, back, scale in terms:
                if done >= back:
                    y = history[source][done - back]
                    y = y if scale == 1.0 else y * scale
                    x = y if x is None else x + y
            parts.append(x)
        if op.weights is not None:
            made = outside[0]
            assert made is not None
            return self._product(made, parts, op.weights)
        whole: list[Tensor] = []
        for part, other, dim in zip(parts, outside, op.given.dims, strict=True):
            if other is not None:
                part = other if part is None else part + other
            if part is None:
                part = like.new_zeros(rows, like.size(1), dim)
            whole.append(part)
        return whole[0] if len(whole) == 1 else torch.cat(whole, dim=2)

    def _product(self, out: Tensor, parts: list[Tensor | None], weights: list[Tensor]) -> Tensor:
        """``out`` [rows, N, dim] and the products of what is there of ``parts``."""
        rows, n = out.size(0), out.size(1)
        out = out.reshape(rows * n, -1)
        for part, weight in zip(parts, weights, strict=True):
            if part is not None:
                out = torch.addmm(out, part.reshape(rows * n, -1), weight)
        return out.view(rows, n, -1)
