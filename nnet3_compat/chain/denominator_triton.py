"""The denominator on a GPU, in Triton: three launches for a minibatch, however many frames it has.

Sequences lie side by side in memory, LANES of them in a group; the last group is filled up. The arcs into a state (out
of it in the backward pass, and of a pdf for the posteriors) are cut into rows of at most LONGEST arcs, so that states
with many arcs hold nobody up; sorted by their length, ROWS of them make a tile. The programs of a group share the tiles
of a frame and wait for each other before the next one: all of them must be running (a cooperative launch), so there are
no more than the GPU has multiprocessors.

With a and b: alpha and beta without what leaks; S: the sums of a; l: the leaks, the leaky-HMM coefficient times the
initial probabilities; p: an arc's probability; y: exp(output), one computes

    a(t + 1)[target]  = sum over arcs of p y(t)[pdf] (a(t)[source] / S(t) + l[source])
    b(t)[source]      = sum over arcs of p y(t)[pdf] (b(t + 1)[target] + sum of l b(t + 1)) / S(t)
    posterior(t)[pdf] = sum over arcs of p y(t)[pdf] (a(t)[source] / S(t) + l[source])
                                           (b(t + 1)[target] + sum of l b(t + 1)) / likelihood

where b is 1 at a sequence's end. Rows add up by atomic additions, whose order may change the last bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import triton
import triton.language as tl
from torch import Tensor

from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.options import LIMIT

LANES, ROWS, LONGEST, WARPS = 16, 64, 32, 8


@triton.jit
def _wait_for_others(counter, programs):
    """Until all programs of the group have come here; what they stored can be loaded then."""
    tl.debug_barrier()
    tl.atomic_add(counter, 1, sem="release")
    while tl.atomic_add(counter, 0, sem="acquire") < programs:
        pass
    tl.debug_barrier()


@triton.jit
def _tile(row_state, row_begin, row_length, tile, num_rows, ROWS: tl.constexpr):
    """States, first arcs and numbers of arcs of the tile's rows, and the largest of these numbers."""
    row = tile + tl.arange(0, ROWS)
    there = row < num_rows
    state = tl.load(row_state + row, mask=there, other=0)
    begin = tl.load(row_begin + row, mask=there, other=0)
    length = tl.load(row_length + row, mask=there, other=0)
    return state, begin, length, tl.load(row_length + tile)


@triton.jit
def _forward(
    y, alphas, sums, leaks, counters, row_state, row_begin, row_length, arc_state, arc_pdf, arc_prob,
    first, last, num_states, num_pdfs, num_rows, programs, LANES: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """alphas [frames + 1, states, lanes] and sums [frames + 1, lanes] from frame first + 1 to last."""
    width = tl.num_programs(1) * LANES
    lane = tl.program_id(1) * LANES + tl.arange(0, LANES)
    for t in range(first, last):
        time = tl.cast(t, tl.int64)
        inverse = 1.0 / tl.load(sums + time * width + lane, cache_modifier=".cg")
        y_here, here, there = y + time * num_pdfs * width, alphas + time * num_states * width, alphas
        there += (time + 1) * num_states * width
        total = tl.zeros([LANES], tl.float32)
        for tile in range(tl.program_id(0) * ROWS, num_rows, programs * ROWS):
            state, begin, length, longest = _tile(row_state, row_begin, row_length, tile, num_rows, ROWS)
            value = tl.zeros([ROWS, LANES], tl.float32)
            for k in range(0, longest):
                more = k < length
                source = tl.load(arc_state + begin + k, mask=more, other=0)
                pdf = tl.load(arc_pdf + begin + k, mask=more, other=0)
                p = tl.load(arc_prob + begin + k, mask=more, other=0.0)
                leak = tl.load(leaks + source)
                alpha = tl.load(here + source[:, None] * width + lane[None, :], cache_modifier=".cg")
                likelihood = tl.load(y_here + pdf[:, None] * width + lane[None, :])
                value += p[:, None] * likelihood * (alpha * inverse[None, :] + leak[:, None])
            tl.atomic_add(
                there + state[:, None] * width + lane[None, :], value, mask=length[:, None] > 0, sem="relaxed"
            )
            total += tl.sum(value, 0)
        tl.atomic_add(sums + (time + 1) * width + lane, total, sem="relaxed")
        if t + 1 < last:
            _wait_for_others(counters + t * tl.num_programs(1) + tl.program_id(1), programs)


@triton.jit
def _backward(
    y, betas, leaked, sums, leaks, lengths, counters, row_state, row_begin, row_length, arc_state, arc_pdf, arc_prob,
    first, last, num_states, num_pdfs, num_rows, programs, all_leaks, LANES: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """betas [frames + 1, states, lanes] and leaked [frames + 1, lanes], sums of leak * beta, from frame last - 1 to
    first. Those at a sequence's end are 1 and all_leaks, and are not stored."""
    width = tl.num_programs(1) * LANES
    lane = tl.program_id(1) * LANES + tl.arange(0, LANES)
    end = tl.load(lengths + lane)
    for back in range(0, last - first):
        t = last - 1 - back
        time = tl.cast(t, tl.int64)
        at_end = t + 1 >= end
        inverse = 1.0 / tl.load(sums + time * width + lane)
        common = tl.load(leaked + (time + 1) * width + lane, cache_modifier=".cg")
        common = tl.where(at_end, 1.0 + all_leaks, common)
        y_here, here, there = y + time * num_pdfs * width, betas + time * num_states * width, betas
        there += (time + 1) * num_states * width
        total = tl.zeros([LANES], tl.float32)
        for tile in range(tl.program_id(0) * ROWS, num_rows, programs * ROWS):
            state, begin, length, longest = _tile(row_state, row_begin, row_length, tile, num_rows, ROWS)
            value = tl.zeros([ROWS, LANES], tl.float32)
            for k in range(0, longest):
                more = k < length
                target = tl.load(arc_state + begin + k, mask=more, other=0)
                pdf = tl.load(arc_pdf + begin + k, mask=more, other=0)
                p = tl.load(arc_prob + begin + k, mask=more, other=0.0)
                beta = tl.load(there + target[:, None] * width + lane[None, :], cache_modifier=".cg")
                beta = tl.where(at_end[None, :], 0.0, beta)
                likelihood = tl.load(y_here + pdf[:, None] * width + lane[None, :])
                value += p[:, None] * likelihood * (beta + common[None, :])
            value *= inverse[None, :]
            tl.atomic_add(here + state[:, None] * width + lane[None, :], value, mask=length[:, None] > 0, sem="relaxed")
            total += tl.sum(value * tl.load(leaks + state)[:, None], 0)
        tl.atomic_add(leaked + time * width + lane, total, sem="relaxed")
        if t > first:
            _wait_for_others(counters + t * tl.num_programs(1) + tl.program_id(1), programs)


@triton.jit
def _posteriors(
    y, alphas, betas, sums, leaked, leaks, lengths, scales, posteriors, row_pdf, row_begin, row_length,
    arc_source, arc_target, arc_prob, num_states, num_pdfs, num_rows, all_leaks,
    LANES: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """posteriors [frames, pdfs, lanes] of one frame, group and tile; scales [lanes]: of 1 / likelihood."""
    width = tl.num_programs(1) * LANES
    lane = tl.program_id(1) * LANES + tl.arange(0, LANES)
    time = tl.program_id(0).to(tl.int64)
    end = tl.load(lengths + lane)
    at_end = time + 1 >= end
    inverse = 1.0 / tl.load(sums + time * width + lane)
    common = tl.where(at_end, 1.0 + all_leaks, tl.load(leaked + (time + 1) * width + lane))
    alphas += time * num_states * width
    betas += (time + 1) * num_states * width
    pdf, begin, length, longest = _tile(row_pdf, row_begin, row_length, tl.program_id(2) * ROWS, num_rows, ROWS)
    value = tl.zeros([ROWS, LANES], tl.float32)
    for k in range(0, longest):
        more = k < length
        source = tl.load(arc_source + begin + k, mask=more, other=0)
        target = tl.load(arc_target + begin + k, mask=more, other=0)
        p = tl.load(arc_prob + begin + k, mask=more, other=0.0)
        leak = tl.load(leaks + source)
        alpha = tl.load(alphas + source[:, None] * width + lane[None, :])
        beta = tl.load(betas + target[:, None] * width + lane[None, :])
        beta = tl.where(at_end[None, :], 0.0, beta)
        value += p[:, None] * (alpha * inverse[None, :] + leak[:, None]) * (beta + common[None, :])
    cells = (time * num_pdfs + pdf)[:, None] * width + lane[None, :]
    value *= tl.load(y + cells) * tl.load(scales + lane)[None, :]
    inside = (length[:, None] > 0) & (time < end)[None, :]
    tl.atomic_add(posteriors + cells, value, mask=inside, sem="relaxed")


@dataclass
class _Rows:
    """Arcs, sorted by a key and cut into rows: key, first arc and number of arcs of each, the longest rows first."""

    key: Tensor
    begin: Tensor
    length: Tensor
    arcs: list[Tensor]

    @classmethod
    def of(cls, key: np.ndarray, columns: list[np.ndarray], device: torch.device) -> _Rows:
        order = np.argsort(key, kind="stable")
        counts = np.bincount(key)
        pieces = -(-counts // LONGEST)
        of_row = np.repeat(np.arange(len(counts)), pieces)
        within = np.arange(len(of_row)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        begin = (np.cumsum(counts) - counts)[of_row] + LONGEST * within
        length = np.minimum(LONGEST, counts[of_row] - LONGEST * within)
        longest_first = np.argsort(-length, kind="stable")

        def tensor(array: np.ndarray) -> Tensor:
            kind = np.float32 if array.dtype.kind == "f" else np.int32
            return torch.from_numpy(array.astype(kind)).to(device)

        keys, begins, lengths = (tensor(x[longest_first]) for x in (of_row, begin, length))
        return cls(keys, begins, lengths, [tensor(column[order]) for column in columns])

    @property
    def tables(self) -> list[Tensor]:
        return [self.key, self.begin, self.length, *self.arcs]

    @property
    def tiles(self) -> int:
        return -(-len(self.key) // ROWS)


class _Graph:
    def __init__(self, graph: DenominatorGraph, device: torch.device) -> None:
        source, target, pdf, probability = graph.source, graph.target, graph.pdf, graph.probability
        self.into = _Rows.of(target, [source, pdf, probability], device)
        self.out_of = _Rows.of(source, [target, pdf, probability], device)
        self.of_pdf = _Rows.of(pdf, [source, target, probability], device)
        self.initial = torch.from_numpy(graph.initial).to(device)


def denominator_triton(
    graph: DenominatorGraph,
    output: Tensor,
    leaky_hmm_coefficient: float,
    lengths: Tensor,
    programs: int | None = None,
    frames_per_launch: int | None = None,
) -> tuple[Tensor, Tensor]:
    """As denominator_of_each(), for float32 on an Nvidia GPU, or in Triton's interpreter.

    ``programs``: of each group of sequences; ``frames_per_launch``: 1 for programs that cannot wait for each other, as
    in the interpreter.
    """
    frames, sequences, pdfs = output.shape
    device, states = output.device, graph.num_states
    groups = -(-sequences // LANES)
    width = groups * LANES
    name = f"triton {device}"
    made: Any = graph.prepared.get(name)
    if made is None:
        made = graph.prepared[name] = _Graph(graph, device)
    if programs is None:
        cores = torch.cuda.get_device_properties(device).multi_processor_count if output.is_cuda else 1
        programs = max(1, min(cores // groups, max(made.into.tiles, made.out_of.tiles)))
    chunk = frames_per_launch or frames
    launch: dict[str, Any] = {"LANES": LANES, "ROWS": ROWS, "num_warps": WARPS}
    together = {**launch, "launch_cooperative_grid": True} if programs > 1 and output.is_cuda else launch

    y = torch.ones((frames, pdfs, width), device=device)
    y[:, :, :sequences] = output.clamp(-LIMIT, LIMIT).exp().transpose(1, 2)
    ends = torch.ones(width, dtype=torch.int32, device=device)
    ends[:sequences] = lengths
    leaks = leaky_hmm_coefficient * made.initial
    all_leaks = leaky_hmm_coefficient * float(graph.initial.sum(dtype=np.float64))
    alphas = torch.zeros((frames + 1, states, width), device=device)
    betas = torch.zeros((frames + 1, states, width), device=device)
    sums, leaked = (torch.zeros((frames + 1, width), device=device) for _ in range(2))
    counters = torch.zeros((2, frames, groups), dtype=torch.int32, device=device)
    alphas[0] = made.initial.unsqueeze(1)
    sums[0] = made.initial.sum()

    sizes = (states, pdfs)
    for first in range(0, frames, chunk):
        times = (first, min(first + chunk, frames))
        _forward[(programs, groups)](
            y, alphas, sums, leaks, counters[0], *made.into.tables, *times, *sizes, len(made.into.key),
            programs, **together
        )  # fmt: skip
    likelihood = sums.gather(0, ends.long().unsqueeze(0)).squeeze(0) * (1.0 + all_leaks)
    inside = torch.arange(frames, device=device).unsqueeze(1) < ends
    log_sums = torch.where(inside, sums[:-1].log(), torch.zeros_like(sums[:-1]))
    log_probs = (likelihood.log() + log_sums.sum(0))[:sequences]
    for last in range(frames, 0, -chunk):
        times = (max(last - chunk, 0), last)
        _backward[(programs, groups)](
            y, betas, leaked, sums, leaks, ends, counters[1], *made.out_of.tables, *times, *sizes, len(made.out_of.key),
            programs, all_leaks, **together
        )  # fmt: skip
    posteriors = torch.zeros((frames, pdfs, width), device=device)
    _posteriors[(frames, groups, made.of_pdf.tiles)](
        y, alphas, betas, sums, leaked, leaks, ends, 1.0 / likelihood, posteriors, *made.of_pdf.tables, *sizes,
        len(made.of_pdf.key), all_leaks, **launch
    )  # fmt: skip
    return log_probs, posteriors[:, :, :sequences].transpose(1, 2).contiguous()
