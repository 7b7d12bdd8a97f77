"""Matrix products of training: torch's, or on a processor with AMX our own, which take a third less time.

Those are as exact as any in single precision (csrc/product.h). For float32 on a CPU, and where derivatives are not
watched: ``linear`` brings its own.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from nnet3_compat.modules.extension import extension

LEAST_SIDE = 96
"""Of what is made, from which on our products are faster: narrow ones wait for memory anyway."""
LEAST_SIDE_WITH_SQUARES = 16


@functools.cache
def can_multiply() -> bool:
    """Whether there are products of our own here (csrc/product.h)."""
    native = extension()
    return native is not None and bool(native.can_multiply())


def _is_ours(x: Tensor) -> bool:
    return x.dtype == torch.float32 and x.device.type == "cpu" and can_multiply()


def product(a: Tensor, b: Tensor, bias: Tensor | None = None, out: Tensor | None = None, add: bool = False) -> Tensor:
    """A B, to whose rows ``bias`` is added; without derivatives.

    Args:
        a, b, bias: [m, k], [k, n], [n].
        out: [m, n], where it goes to; ``add``: to be added to what is there, without a bias.
    Returns:
        [m, n], ``out`` where it was given.
    """
    fits = _is_ours(a) and _fits(a) and _fits(b) and (out is None or out.stride(1) == 1)
    if fits and min(*a.shape, b.shape[1]) >= LEAST_SIDE:
        made = a.new_empty(a.shape[0], b.shape[1]) if out is None else out
        _multiply(a, b, bias, made, add)
        return made
    if out is not None and add:
        return out.addmm_(a, b)
    return torch.mm(a, b, out=out) if bias is None else torch.addmm(bias, a, b, out=out)


def product_and_squares(a: Tensor, b: Tensor, bias: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The product, and for each of A's rows the sum of squares in double precision, [m]; A is read once for both."""
    if _is_ours(a) and a.stride(1) == 1 and _fits(b) and min(*a.shape, b.shape[1]) >= LEAST_SIDE_WITH_SQUARES:
        made, squares = a.new_empty(a.shape[0], b.shape[1]), a.new_zeros(a.shape[0], dtype=torch.float64)
        _multiply(a, b, bias, made, False, squares=squares.numpy())
        return made, squares
    return product(a, b, bias), torch.linalg.vector_norm(a, dim=1).double().square()


def product_and_sums(a: Tensor, b: Tensor, out: Tensor) -> Tensor:
    """Puts A^T B in ``out`` [k, n], of A [m, k] and B [m, n]; the sums of A's columns, [k]: A is read once for both."""
    fits = _is_ours(a) and a.stride(0) > a.stride(1) == out.stride(1) == 1 and _fits(b)
    if fits and min(*a.shape, b.shape[1]) >= LEAST_SIDE:
        sums = a.new_zeros(a.shape[1], dtype=torch.float64)
        _multiply(a.t(), b, None, out, False, sums=sums.numpy())
        return sums.to(a.dtype)
    product(a.t(), b, out=out)
    return a.sum(0)


def _multiply(a: Tensor, b: Tensor, bias: Tensor | None, out: Tensor, add: bool, **totals: Any) -> None:
    line = None if bias is None else bias.detach().contiguous().numpy()
    arrays = [x.detach().numpy() for x in (a, b, out)]
    extension().multiply(*arrays, line, add, torch.get_num_threads(), **totals)


def _fits(x: Tensor) -> bool:
    return x.dtype == torch.float32 and 1 in x.stride()


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x W^T + b for x [..., k], W [n, k], b [n]: as torch's, but for second derivatives."""
    if not _is_ours(x) or torch.is_autocast_enabled("cpu"):
        return F.linear(x, weight, bias)
    made: Tensor = _Linear.apply(x, weight, bias)
    return made


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return product(_rows(x), weight.t(), bias).view(*x.shape[:-1], weight.shape[0])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        rows = _rows(gradient)
        of_x, of_weight, of_bias = ctx.needs_input_grad
        return (
            product(rows, weight).view(x.shape) if of_x else None,
            product(rows.t(), _rows(x)) if of_weight else None,
            rows.sum(0) if of_bias else None,
        )


def _rows(x: Tensor) -> Tensor:
    """[..., D] -> [rows, D]."""
    return x.reshape(-1, x.shape[-1])
