"""Reading rows of a tensor as a layout says (layout.py); all of it can be scripted."""

from collections.abc import Callable
from typing import Any, List

import torch
from torch import Tensor

# TorchScript wants typing.List in annotations.
# ruff: noqa: UP006, UP035


def leaf_size(spec: List[int], at: int) -> int:
    """The number of integers of the leaf that begins at ``spec[at]``."""
    n = spec[at]
    if n < 0:
        return 2 + 2 * spec[at + 1]
    return 1 + 5 * n


def read_leaf(x: Tensor, spec: List[int], at: int, rows: int) -> Tensor:
    """[rows, N, D] from ``x``: a view where one progression fills all rows, else a copy with zeros in unfilled rows."""
    if not torch.jit.is_scripting() and x.requires_grad and torch.is_grad_enabled():
        return differentiable_read(x, spec, at, rows)
    n = spec[at]
    if n == 1 and spec[at + 1] == 0 and spec[at + 5] == rows and (spec[at + 2] == 1 or rows == 1):
        return progression(x, spec[at + 3], spec[at + 4], rows)
    out = torch.zeros([rows, x.size(1), x.size(2)], dtype=x.dtype, device=x.device)
    if n < 0:
        count = spec[at + 1]
        to = torch.tensor(spec[at + 2 : at + 2 + count], dtype=torch.long, device=x.device)
        source = torch.tensor(spec[at + 2 + count : at + 2 + 2 * count], dtype=torch.long, device=x.device)
        return out.index_copy(0, to, x.index_select(0, source))
    for i in range(n):
        k = at + 1 + 5 * i
        to_first, to_step, count = spec[k], spec[k + 1], spec[k + 4]
        if count > 0:
            end = to_first + (count - 1) * to_step + 1
            out[to_first:end:to_step] = progression(x, spec[k + 2], spec[k + 3], count)
    return out


@torch.jit.unused
def leaf_reader(spec: List[int], at: int, rows: int) -> Callable[[Tensor], Tensor]:
    """``read_leaf`` without derivatives, with all that can be decided beforehand."""
    if spec[at] != 1 or spec[at + 1] != 0 or spec[at + 5] != rows or (spec[at + 2] != 1 and rows != 1):
        return lambda x: read_leaf(x, spec, at, rows)
    first, step = spec[at + 3], spec[at + 4]
    if step == 0:
        return lambda x: x[first : first + 1].expand(rows, x.size(1), x.size(2))
    if step == 1 or rows == 1:
        return lambda x: x if x.size(0) == rows else x.narrow(0, first, rows)
    end = first + (rows - 1) * step + 1
    return lambda x: x[first:end:step]


def add_rows(x: Tensor, spec: List[int], at: int, rows: Tensor) -> None:
    """Adds ``rows`` [rows, N, D] to where ``read_leaf`` reads them in ``x``: its transpose."""
    n = spec[at]
    if n < 0:
        count = spec[at + 1]
        to = torch.tensor(spec[at + 2 : at + 2 + count], dtype=torch.long, device=x.device)
        source = torch.tensor(spec[at + 2 + count : at + 2 + 2 * count], dtype=torch.long, device=x.device)
        x.index_add_(0, source, rows.index_select(0, to))
        return
    for i in range(n):
        k = at + 1 + 5 * i
        to_first, to_step, first, step, count = spec[k], spec[k + 1], spec[k + 2], spec[k + 3], spec[k + 4]
        if count > 0:
            part = rows[to_first : to_first + (count - 1) * to_step + 1 : to_step]
            if step == 0:
                x[first] += part.sum(0)
            else:
                x[first : first + (count - 1) * step + 1 : step] += part


def progression(x: Tensor, first: int, step: int, count: int) -> Tensor:
    """Rows first, first + step, ... of ``x`` ([count, N, D]); step 0 repeats one row."""
    if count <= 0:
        return x[0:0]
    if step == 0:
        return x[first : first + 1].expand(count, x.size(1), x.size(2))
    if count == x.size(0) and step == 1:
        return x
    return x[first : first + (count - 1) * step + 1 : step]


def numbers_read(spec: List[int], at: int, rows: int) -> List[int]:
    """What a leaf reads in the sequence of all whole numbers, into each of ``rows`` rows.

    Raises:
        ValueError: there is no leaf at ``at``: the layout is not for training.
    """
    if at >= len(spec):
        raise ValueError("a network in training mode needs a layout for training")
    n = spec[at]
    out = [0] * rows
    if n < 0:
        count = spec[at + 1]
        for to, number in zip(spec[at + 2 : at + 2 + count], spec[at + 2 + count : at + 2 + 2 * count], strict=True):
            out[to] = number
    for k in range(at + 1, at + 1 + 5 * n, 5):
        to, to_step, first, step, count = spec[k : k + 5]
        for i in range(count):
            out[to + i * to_step] = first + i * step
    return out


def nothing_like(x: Tensor, rows: int, dim: int) -> Tensor:
    """Zeros [rows, N, dim] with N, type and device of ``x``."""
    return torch.zeros([rows, x.size(1), dim], dtype=x.dtype, device=x.device)


@torch.jit.unused
def differentiable_read(x: Tensor, spec: List[int], at: int, rows: int) -> Tensor:
    """``read_leaf`` in training: one derivative for all its pieces, where autograd would make one for each."""
    n = spec[at]
    every_row = n == 1 and spec[at + 1] == 0 and spec[at + 3] == 0 and spec[at + 5] == rows == x.size(0)
    if every_row and (rows == 1 or (spec[at + 2] == 1 and spec[at + 4] == 1)):
        return x
    return _Read.apply(x, spec, at, rows)


class _Read(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, spec: List[int], at: int, rows: int) -> Tensor:
        ctx.spec, ctx.at, ctx.shape = spec, at, x.shape
        return read_leaf(x, spec, at, rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        of_x = gradient.new_zeros(ctx.shape)
        add_rows(of_x, ctx.spec, ctx.at, gradient)
        return of_x, None, None, None
