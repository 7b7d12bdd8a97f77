"""The numerator on a GPU, in Triton: two launches for a minibatch, in the log domain and in double precision.

A group is what nothing else depends on: a sequence, or the sequences of a supervision that meet in several states. One
program goes through a group's times. A row is a state of the unrolled graph (numerator_graph.py) with the arcs into it
(out of it in the backward pass), so that each state is one lane's and nothing is added up atomically but posteriors:

    alpha[target] = log sum over arcs of exp(alpha[source] + p + y(frame, sequence)[pdf])
    beta[source]  = log sum over arcs of exp(beta[target] + p + y(frame, sequence)[pdf])
    posterior(frame, sequence)[pdf] = sum over arcs of exp(alpha[source] + p + y + beta[target] - log-prob)

with p: an arc's log-probability; y: the output. Rows lie sorted by group and time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import triton
import triton.language as tl
from torch import Tensor

from kaldi_bridge.examples.supervision import Supervision
from nnet3_compat.chain.numerator_graph import NumeratorGraph

ROWS, WARPS = 32, 1


@triton.jit
def _log_add(a, b):
    largest = tl.maximum(a, b)
    shift = tl.where(largest == float("-inf"), 0.0, largest)
    return shift + tl.log(tl.exp(a - shift) + tl.exp(b - shift))


@triton.jit
def _forward(
    y, alpha, first_time, row_begin, row_state, arc_begin, arc_other, arc_cell, arc_log_prob, ROWS: tl.constexpr
):  # fmt: skip
    """alpha [states] of one group, from where it is given at the start states."""
    group = tl.program_id(0)
    for time in range(tl.load(first_time + group), tl.load(first_time + group + 1)):
        end = tl.load(row_begin + time + 1)
        for tile in range(tl.load(row_begin + time), end, ROWS):
            row = tile + tl.arange(0, ROWS)
            there = row < end
            begin = tl.load(arc_begin + row, mask=there, other=0)
            count = tl.load(arc_begin + row + 1, mask=there, other=0) - begin
            total = tl.full([ROWS], float("-inf"), tl.float64)
            for k in range(0, tl.max(count, 0)):
                more = k < count
                source = tl.load(arc_other + begin + k, mask=more, other=0)
                cell = tl.load(arc_cell + begin + k, mask=more, other=0)
                score = tl.load(arc_log_prob + begin + k, mask=more, other=float("-inf"))
                score += tl.load(y + cell, mask=more, other=0.0).to(tl.float64)
                total = _log_add(total, score + tl.load(alpha + source, mask=more, other=float("-inf")))
            tl.store(alpha + tl.load(row_state + row, mask=there, other=0), total, mask=there)
        tl.debug_barrier()


@triton.jit
def _backward(
    y, alpha, beta, log_probs, posteriors, first_time, row_begin, row_state, arc_begin, arc_other, arc_cell,
    arc_log_prob, ROWS: tl.constexpr,
):  # fmt: skip
    """beta [states] of one group, from where it is given at the end states, and what its arcs add to posteriors."""
    group = tl.program_id(0)
    log_prob = tl.load(log_probs + group)
    first = tl.load(first_time + group)
    last = tl.load(first_time + group + 1)
    for back in range(0, last - first):
        time = last - 1 - back
        end = tl.load(row_begin + time + 1)
        for tile in range(tl.load(row_begin + time), end, ROWS):
            row = tile + tl.arange(0, ROWS)
            there = row < end
            state = tl.load(row_state + row, mask=there, other=0)
            before = tl.load(alpha + state, mask=there, other=float("-inf")) - log_prob
            begin = tl.load(arc_begin + row, mask=there, other=0)
            count = tl.load(arc_begin + row + 1, mask=there, other=0) - begin
            total = tl.full([ROWS], float("-inf"), tl.float64)
            for k in range(0, tl.max(count, 0)):
                more = k < count
                target = tl.load(arc_other + begin + k, mask=more, other=0)
                cell = tl.load(arc_cell + begin + k, mask=more, other=0)
                score = tl.load(arc_log_prob + begin + k, mask=more, other=float("-inf"))
                score += tl.load(y + cell, mask=more, other=0.0).to(tl.float64)
                score += tl.load(beta + target, mask=more, other=float("-inf"))
                occupation = tl.exp(before + score).to(tl.float32)
                tl.atomic_add(posteriors + cell, occupation, mask=more, sem="relaxed")
                total = _log_add(total, score)
            tl.store(beta + state, total, mask=there)
        tl.debug_barrier()


@dataclass
class _Arcs:
    """Of a minibatch: source, target, cell of the output, log-probability, and the time of the group, all [arcs]."""

    source: np.ndarray
    target: np.ndarray
    cell: np.ndarray
    log_prob: np.ndarray
    time: np.ndarray

    def rows(self, state: np.ndarray, other: np.ndarray, num_times: int, device: torch.device) -> list[Tensor]:
        """Sorted by time and ``state``: row_begin [times + 1], row_state [rows], arc_begin [rows + 1], and of the arcs
        the ``other`` state, cell and log-probability."""
        order = np.lexsort((state, self.time))
        key, time = state[order], self.time[order]
        begins = np.flatnonzero(np.r_[True, (key[1:] != key[:-1]) | (time[1:] != time[:-1])])
        row_begin = np.searchsorted(time[begins], np.arange(num_times + 1))
        arrays = (row_begin, key[begins], np.r_[begins, len(order)], other[order], self.cell[order])
        tensors = [torch.from_numpy(array.astype(np.int64)) for array in arrays]
        return [tensor.to(device) for tensor in (*tensors, torch.from_numpy(self.log_prob[order]))]


@dataclass
class PackedSupervisions:
    """A minibatch's supervisions on a device, for outputs of one size.

    Attributes:
        first_time: [groups + 1], of the times of all groups, one after the other.
        into, out_of: the rows of the forward and of the backward pass.
        num_states: of all graphs; starts, ends, end_log_prob, end_group: as of NumeratorGraph.
    """

    first_time: Tensor
    into: list[Tensor]
    out_of: list[Tensor]
    num_states: int
    starts: Tensor
    ends: Tensor
    end_log_prob: Tensor
    end_group: Tensor

    @property
    def num_groups(self) -> int:
        return len(self.first_time) - 1


def pack(supervisions: Sequence[Supervision], shape: Sequence[int], device: torch.device) -> PackedSupervisions:
    """``shape``: of the output, [frames, sequences, pdfs]. Raises KaldiError as ``numerator``."""
    _, width, pdfs = shape
    graphs = [NumeratorGraph(supervision) for supervision in supervisions]
    states = np.cumsum([0, *(graph.num_states for graph in graphs)])
    groups = np.cumsum([0, *(graph.num_groups for graph in graphs)])
    times = np.repeat([len(graph.levels) for graph in graphs], [graph.num_groups for graph in graphs])
    first_time = np.cumsum([0, *times])
    columns: list[list[np.ndarray]] = [[] for _ in range(5)]
    sequence = 0
    for graph, supervision, state, group in zip(graphs, supervisions, states, groups, strict=False):
        for number, level in enumerate(graph.levels):
            of_group = level.sequence if graph.num_groups > 1 else np.zeros_like(level.sequence)
            cell = (level.frame * width + level.sequence + sequence) * pdfs + level.pdf
            parts = (level.source + state, level.target + state, cell, level.log_prob)
            for column, part in zip(columns, (*parts, first_time[group + of_group] + number), strict=True):
                column.append(part)
        sequence += supervision.num_sequences
    arcs = _Arcs(*(np.concatenate(column) for column in columns))

    def tensor(parts: list[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.concatenate(parts)).to(device)

    num_times = int(first_time[-1])
    return PackedSupervisions(
        tensor([first_time]),
        arcs.rows(arcs.target, arcs.source, num_times, device),
        arcs.rows(arcs.source, arcs.target, num_times, device),
        int(states[-1]),
        tensor([graph.starts + state for graph, state in zip(graphs, states, strict=False)]),
        tensor([graph.ends + state for graph, state in zip(graphs, states, strict=False)]),
        tensor([graph.end_log_prob for graph in graphs]),
        tensor([graph.end_group + group for graph, group in zip(graphs, groups, strict=False)]),
    )


def numerator_triton(supervisions: PackedSupervisions, output: Tensor) -> tuple[Tensor, Tensor]:
    """As ``numerator``, for float32 on an Nvidia GPU, or in Triton's interpreter."""
    packed, y = supervisions, output.contiguous()
    alpha, beta = (torch.full((packed.num_states,), -torch.inf, dtype=torch.float64, device=y.device) for _ in range(2))
    alpha[packed.starts] = 0.0
    beta[packed.ends] = packed.end_log_prob
    posteriors = torch.zeros_like(y)
    grid, launch = (packed.num_groups,), {"ROWS": ROWS, "num_warps": WARPS}
    _forward[grid](y, alpha, packed.first_time, *packed.into, **launch)
    at_ends = alpha[packed.ends] + packed.end_log_prob
    largest = torch.full(grid, -torch.inf, dtype=torch.float64, device=y.device)
    largest.scatter_reduce_(0, packed.end_group, at_ends, "amax")
    shares = (at_ends - largest[packed.end_group]).exp()
    log_probs = largest + torch.zeros_like(largest).index_add(0, packed.end_group, shares).log()
    _backward[grid](y, alpha, beta, log_probs, posteriors, packed.first_time, *packed.out_of, **launch)
    return log_probs.sum().to(y.dtype), posteriors
