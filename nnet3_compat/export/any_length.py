"""A network as tensor operations alone, for any number of frames: what torch.export and the ONNX exporter trace.

TorchScript can look at a layout while it runs. A traced program cannot, so here layouts are tables of numbers
(structure/lengths.py) in which the program looks up which rows it reads, and a recurrence is one operation
(``torch.scan``) over its blocks of rows.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch._higher_order_ops.scan import scan

from kaldi_bridge.errors import KaldiError
from nnet3_compat.export.description import Description
from nnet3_compat.modules.base import ComponentModule
from nnet3_compat.modules.leaves import nothing_like
from nnet3_compat.network.executor import ComponentStep
from nnet3_compat.network.network import Network
from nnet3_compat.network.recurrent_inference import RecurrentInference
from nnet3_compat.structure.graph import Value, terms_of
from nnet3_compat.structure.layout import LayoutTable
from nnet3_compat.structure.lengths import Read, Size, make_lengths, one_layout


class AnyLength(nn.Module):
    """``[N, T, D], [N, K] -> [N, T_out, P]``, valid frames only; parameters have the names that TorchScript's have.

    Where outputs depend on their context only, inputs are made longer at the end, by repetition, to a length whose
    layout has settled, and what that adds is dropped.

    Raises:
        KaldiError: what the network reads depends on the length in no regular way.
    """

    def __init__(self, network: Network, description: Description) -> None:
        super().__init__()
        d = self.description = description
        if d.num_outputs:
            table: LayoutTable | None = one_layout(network.layout(d.request(d.num_outputs)))
        else:
            table = network.layout_table(d.request(1))
        if table is None:
            raise KaldiError(
                "this network reads frames in a pattern that depends on the length in no regular way: it cannot be "
                "exported for any number of frames"
            )
        self.graph, self.executor = network.graph(), network.executor(("output",))
        given = None
        if d.num_outputs:
            given = {"input": Size(d.frames_in(d.num_outputs), 0), "ivector": Size(1, 0)}
        elif d.chunk_invariant:
            context, step = d.left_context + d.right_context, table.period * d.frame_subsampling_factor
            given = {"input": Size(1 + context - d.frame_subsampling_factor, step), "ivector": Size(1, 0)}
        self.lengths = make_lengths(self.graph, table, lambda n: network.layout(d.request(n)), given)
        for t, patterns in enumerate(self.lengths.tables):
            self.register_buffer(f"base{t}", torch.from_numpy(patterns.base), persistent=False)
            self.register_buffer(f"slope{t}", torch.from_numpy(patterns.slope), persistent=False)
        self.group_of = {i: g for g, group in enumerate(self.graph.groups) for i in group.members}
        self.modules_of: dict[int, ComponentModule[Any]] = {}
        for step_module, group in zip(self.executor.steps, self.graph.groups, strict=True):
            if isinstance(step_module, ComponentStep):
                self.modules_of[group.members[0]] = step_module.component
            elif group.direction != 0:
                members: Any = step_module.members
                for i, member in zip(group.members, members, strict=True):
                    if member.has_component:
                        self.modules_of[i] = member.component

    def forward(self, features: Tensor, ivector: Tensor | None = None) -> Tensor:
        d, lengths = self.description, self.lengths
        factor, context, frames = d.frame_subsampling_factor, d.left_context + d.right_context, features.shape[1]
        n = (frames - context - 1) // factor + 1
        k = n // lengths.period
        if d.chunk_invariant and not d.num_outputs:
            k = torch.sym_max(-(-n // lengths.period), lengths.minimum // lengths.period)
            time = torch.arange((k * lengths.period - 1) * factor + 1 + context, device=features.device)
            features = features.index_select(1, time.clamp(max=frames - 1))
        given = {"input": features.transpose(0, 1)}
        if ivector is not None:
            given["ivector"] = ivector.unsqueeze(0)
        run = _Run(self, given, k, self._patterns(n, k))
        made = run.output()
        if not isinstance(n, int):  # as a number that is found while it runs: no case of one output frame is made
            n = torch.full((), n, dtype=torch.int64, device="cpu").item()
            torch._check(n >= 0)
            torch._check(n <= made.shape[0])
        return made[:n].transpose(0, 1)

    def _patterns(self, n: Any, k: Any) -> list[Tensor]:
        """Per table the row of the source, or -1, that each pattern reads in each row: [patterns, rows]."""
        lengths, out = self.lengths, []
        for t, table in enumerate(lengths.tables):
            base: Tensor = getattr(self, f"base{t}")
            slope: Tensor = getattr(self, f"slope{t}")
            if lengths.classes > 1:
                outputs = torch.full((1,), n, dtype=torch.int64, device=base.device)
                settled = outputs % lengths.period + (lengths.minimum - 1)
                which = torch.where(outputs < lengths.minimum, outputs - 1, settled)
                base, slope = base.index_select(0, which), slope.index_select(0, which)
            to, to_step, first, step, count = (base[0] + slope[0] * k).unsqueeze(-1).unbind(2)  # [patterns, m, 1]
            ahead = torch.arange(_rows(table.size, k), device=base.device) - to
            turn = torch.div(ahead, to_step.clamp(min=1), rounding_mode="floor")
            read = (ahead >= 0) & (turn * to_step == ahead) & (turn < count)
            out.append(torch.where(read, first + step * turn + 1, 0).sum(1) - 1)
        return out


def _rows(size: Size, k: Any) -> Any:
    """A whole number, or one that depends on the length of the input."""
    return size.base + size.slope * k if size.slope else size.base


class _TracedRecurrence(RecurrentInference):
    """Adds its products up without asking for the number of sequences."""

    def _product(self, out: Tensor, parts: list[Tensor | None], weights: list[Tensor]) -> Tensor:
        for part, weight in zip(parts, weights, strict=True):
            if part is not None:
                out = out + part @ weight
        return out


class _Run:
    """One computation: the values as they are made."""

    def __init__(self, core: AnyLength, given: dict[str, Tensor], k: Any, patterns: list[Tensor]) -> None:
        self.core, self.given, self.k, self.patterns = core, given, k, patterns
        self.values: dict[int, Tensor] = {}
        self.like = given["input"]

    def output(self) -> Tensor:
        """[rows, N, P], the first n of which are the outputs."""
        graph = self.core.graph
        for g, group in enumerate(graph.groups):
            if group.direction != 0:
                self._recurrence(g)
            else:
                i = group.members[0]
                self.values[i] = self._value(i, graph.values[i])
        return self.values[graph.outputs["output"]]

    def rows(self, size: Size) -> Any:
        return _rows(size, self.k)

    def read(self, x: Tensor, read: Read, size: Size) -> Tensor:
        """[rows, N, D] of ``x``."""
        rows = self.rows(size)
        if read.kind == "nothing":
            return nothing_like(x, rows, x.shape[2])
        if read.kind == "slice":
            return x.narrow(0, read.first, rows)
        if read.kind == "repeat":
            return x[read.first : read.first + 1].expand(rows, x.shape[1], x.shape[2])
        at = self.pattern(read, rows)
        found = x.index_select(0, at.clamp(min=0))
        return found if read.filled else found.masked_fill((at < 0).view(-1, 1, 1), 0.0)

    def pattern(self, read: Read, rows: Any) -> Tensor:
        """Of each row of the reader the row of the source, or -1."""
        return self.patterns[read.table][read.row][:rows]

    def there(self, read: Read, rows: Any) -> Tensor:
        """[rows, 1, 1]: 1 where something is read, else 0."""
        if read.kind == "pattern" and not read.filled:
            return (self.pattern(read, rows) >= 0).to(self.like.dtype).view(-1, 1, 1)
        return self.like.new_full((rows, 1, 1), float(read.kind != "nothing"))

    def leaf(self, i: int, j: int) -> Tensor | None:
        """What leaf j of value i reads; None where that is nothing at any time."""
        size, read, source = (
            self._size_of(i),
            self.core.lengths.reads[i, j],
            self.core.graph.values[i].leaves()[j].source,
        )
        return None if read.kind == "nothing" else self.read(self.values[source], read, size)

    def _size_of(self, i: int) -> Size:
        lengths = self.core.lengths
        g = self.core.group_of[i]
        return lengths.recurrences[g].total if g in lengths.recurrences else lengths.sizes[i]

    def _value(self, i: int, value: Value) -> Tensor:
        lengths, size = self.core.lengths, self.core.lengths.sizes[i]
        rows = self.rows(size)
        if value.is_input:
            return self.read(self.given[value.node if value.x == 0 else "input"], lengths.reads[i, 0], size)
        if size == Size(0, 0):
            return nothing_like(self.like, 0, value.dim)
        if value.parts:
            return self._descriptor(i, value, rows)
        if value.component is None:
            found = self.read(self.values[value.taps[0].source], lengths.reads[i, 0], size)
            return found[:, :, value.first_column : value.first_column + value.dim]
        module = self.core.modules_of[i]
        if not value.taps:
            return module(nothing_like(self.like, rows, 1))
        taps = [self.read(self.values[leaf.source], lengths.reads[i, j], size) for j, leaf in enumerate(value.taps)]
        if value.tap_rule is None:
            return module(taps[0])
        return module(taps, [self.there(lengths.reads[i, j], rows) for j in range(len(taps))])

    def _descriptor(self, i: int, value: Value, rows: Any) -> Tensor:
        parts: list[Tensor] = []
        j = 0
        for dim, part in value.parts:
            leaves, constant = terms_of(part)
            total: Tensor | None = None
            for leaf in leaves:
                x = self.leaf(i, j)
                j += 1
                if x is not None:
                    x = x if leaf.scale == 1.0 else x * leaf.scale
                    total = x if total is None else total + x
            if total is None:
                total = nothing_like(self.like, rows, dim)
            parts.append(total + constant if constant else total)
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)

    def _recurrence(self, g: int) -> None:
        """``scan`` over the blocks; what it hands on is, of each member, as many blocks as are looked back at."""
        group, reads = self.core.graph.groups[g], self.core.lengths.recurrences[g]
        values = self.core.graph.values
        modules = {i: self.core.modules_of[i] for i in group.members if i in self.core.modules_of}
        work = _TracedRecurrence(self.core.graph, group, modules)
        blocks, total = self.rows(reads.blocks), self.rows(reads.total)
        outside = work.outside(lambda m, j: self.leaf(group.members[m], j), total, self.like)
        inner = work.inner(lambda m, j: reads.back.get((group.members[m], j)))
        depth = [0] * len(group.members)  # per member, the blocks of it that others look back at
        for source, back, _ in (term for parts in inner for terms in parts for term in terms):
            depth[source] = max(depth[source], back)
        deepest = max(depth)
        # The blocks of what comes from outside, and of the masks, as one list of tensors.
        pieces: list[Tensor] = []
        places: list[list[int | None]] = []
        for parts in outside:
            places.append([])
            for x in parts:
                places[-1].append(None if x is None else len(pieces))
                if x is not None:
                    pieces.append(x.reshape(blocks, reads.block_rows, x.shape[1], x.shape[2]))
        masks: list[int | None] = []
        for i in group.members:
            masks.append(len(pieces) if i in reads.masks else None)
            if i in reads.masks:
                pieces.append(self.there(reads.masks[i], total).reshape(blocks, reads.block_rows, 1, 1))
        before = [
            [nothing_like(self.like, reads.block_rows, values[i].dim) for _ in range(d)]
            for i, d in zip(group.members, depth, strict=True)
        ]
        wanted = [m for m in range(len(group.members)) if work.read_outside[m]]

        def step(carried: list[list[Tensor]], block: list[Tensor]) -> tuple[list[list[Tensor]], list[Tensor]]:
            like = block[0]  # all that the step sees comes in as blocks: its graph takes no sizes from outside
            history: list[list[Tensor]] = [[like] * (deepest - len(old)) + old for old in carried]
            for m in range(len(work.ops)):
                if work.ops[m].skip:
                    history[m] = [*history[m], like]
                    continue
                given = [None if p is None else block[p] for p in places[m]]
                x = work.member(m, given, inner[m], history, deepest, reads.block_rows, like)
                mask = masks[m]
                if mask is not None:
                    x = torch.where(block[mask] > 0, x, 0.0)
                history[m] = [*history[m], x]
            kept = [[x.clone() for x in mine[len(mine) - d :]] for mine, d in zip(history, depth, strict=True)]
            return kept, [history[m][-1].clone() for m in wanted]

        _, made = scan(step, before, pieces, reverse=(group.direction or -1) > 0)
        for m, x in zip(wanted, made, strict=True):
            i = group.members[m]
            every = x.reshape(total, x.shape[2], x.shape[3])
            self.values[i] = self.read(every, reads.results[i], self.core.lengths.sizes[i])
