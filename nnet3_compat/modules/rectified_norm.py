"""A rectified linear unit and what follows it in TDNN-F networks, as one operation in training.

    z = max(x, 0),   u = (z - mean) / deviation,   y = rms * u * mask + factor * bypass

Batch norm, and perhaps dropout and a sum with what bypasses the layer. Each of these alone reads and writes matrices of
all frames, which takes longer than the arithmetic; together they are two passes forward and two backward, in C++
(csrc/rectified_norm.h has the formulas). The numbers are those of the modules one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from nnet3_compat.modules.dropout import GeneralDropout
from nnet3_compat.modules.extension import extension
from nnet3_compat.modules.leaves import read_leaf
from nnet3_compat.modules.nonlinear import RectifiedLinear
from nnet3_compat.modules.normalize import BatchNorm


class UnitWatch(Protocol):
    """Watches the units of one component in training (training/activations.py)."""

    def see_values(self, values: Tensor, derivatives: Tensor, rows: int) -> None:
        """Sums over the rows of a call, per unit, of the values and of their derivatives."""

    def units_push(self, rows: int) -> Tensor | None:
        """What is to be added to the derivative of each unit's input, in each row; None for nothing."""

    def see_derivatives(self, squares: Tensor, rows: int) -> None:
        """Sums over the rows of a call, per unit, of the squared derivatives at the output."""


@dataclass
class Added:
    """The bypass: frames of ``source`` [T, N, D] from ``first`` on, times ``factor``.

    It is read in here, since the derivative of a part of a tensor is one more tensor, to be added to the others of it.
    """

    source: Tensor
    first: int
    factor: float

    @classmethod
    def read(cls, x: Tensor, spec: list[int], at: int, rows: int, factor: float) -> Added:
        """What the leaf at ``spec[at]`` reads in x into all of ``rows`` frames."""
        n, to, to_step, first, step, count = spec[at : at + 6] if spec[at] == 1 else (0, 0, 0, 0, 0, 0)
        if (n, to, to_step, step, count) == (1, 0, 1, 1, rows) and x.is_contiguous():
            return cls(x, first, factor)
        return cls(read_leaf(x, spec, at, rows).contiguous(), 0, factor)


@dataclass
class RectifiedNorm:
    """The modules, in their order.

    ``overwrites``: nothing needs x after the backward pass but this operation, which then puts its gradient there.
    """

    unit: RectifiedLinear
    norm: BatchNorm
    dropout: GeneralDropout | None
    overwrites: bool

    def can_compute(self, x: Tensor) -> bool:
        """Whether this is for such an input; else the modules are."""
        norm = self.norm
        return (
            x.device.type == "cpu"
            and x.dtype == torch.float32
            and x.requires_grad
            and torch.is_grad_enabled()
            and x.numel() > 0
            and not torch.is_autocast_enabled("cpu")
            and norm.training
            and not norm.test_mode
            and norm.repeats == 1
            and extension() is not None
        )

    def __call__(self, x: Tensor, added: Added | None = None) -> Tensor:
        """y of x, both [T, N, D]."""
        mask = None
        if self.dropout is not None and self.dropout.draws():
            mask = self.dropout.draw(x.detach())
        bypass, first, factor = (None, 0, 1.0) if added is None else (added.source, added.first, added.factor)
        made: Tensor = JoinedFunction.apply(x.contiguous(), bypass, first, factor, mask, self)
        return made

    def see_values(self, sums: Tensor, positive: Tensor, mean: Tensor, variance: Tensor, rows: int) -> None:
        """Sums of the values and of their derivatives, and what batch norm makes of them."""
        for watch in self.unit.watches or ():
            watch.see_values(sums, positive, rows)
        if self.norm.store_stats:
            self.norm.add_stats(mean, variance, rows)


class JoinedFunction(torch.autograd.Function):
    """The operation forward and backward."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        bypass: Tensor | None,
        first: int,
        factor: float,
        mask: Tensor | None,
        operation: RectifiedNorm,
    ) -> Tensor:
        native, threads, norm, rows = extension(), torch.get_num_threads(), operation.norm, x.shape[0] * x.shape[1]
        sums, squares, positive = map(torch.from_numpy, native.rectified_moments(_matrix(x), threads))
        mean = sums / rows
        variance = (squares / rows - mean * mean).clamp(min=0.0)
        operation.see_values(sums, positive, mean, variance, rows)
        inverse = (variance + norm.epsilon).rsqrt()
        lines = mean.float().numpy(), (norm.target_rms * inverse).float().numpy()
        y = torch.empty_like(x)
        masked = None if mask is None else _matrix(mask)
        frames = slice(first, first + x.shape[0])
        added = None if bypass is None else _matrix(bypass[frames])
        native.normalize_rectified(_matrix(x), *lines, masked, added, factor, _matrix(y), threads)
        ctx.x, ctx.lines, ctx.inverse, ctx.mask, ctx.operation = x.detach(), lines, inverse, masked, operation
        ctx.bypass_shape, ctx.frames, ctx.factor = None if bypass is None else bypass.shape, frames, factor
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        native, threads, operation = extension(), torch.get_num_threads(), ctx.operation
        if operation.overwrites and not _graph_is_kept():
            x, ctx.x = ctx.x, None
        else:
            x = ctx.x.clone()
        rows, (mean, scale) = x.shape[0] * x.shape[1], ctx.lines
        dy = _matrix(gradient.contiguous())
        sums, products = map(torch.from_numpy, native.gradient_moments(dy, _matrix(x), mean, ctx.mask, threads))
        whole = torch.from_numpy(scale).double() / rows
        offset, slope = whole * sums, whole * ctx.inverse.square() * products
        push = torch.zeros(x.shape[2], dtype=torch.float64)
        for watch in operation.unit.watches or ():
            if (pushed := watch.units_push(rows)) is not None:
                push += pushed
        of_bypass, of_added = None, None
        if ctx.needs_input_grad[1]:
            of_bypass = x.new_empty(ctx.bypass_shape)
            of_bypass[: ctx.frames.start].zero_()
            of_bypass[ctx.frames.stop :].zero_()
            of_added = _matrix(of_bypass[ctx.frames])
        squares = native.rectified_gradient(
            dy, _matrix(x), mean, scale, *(line.float().numpy() for line in (offset, slope, push)), ctx.mask,
            ctx.factor, of_added, threads,
        )  # fmt: skip
        for watch in operation.unit.watches or ():
            watch.see_derivatives(torch.from_numpy(squares), rows)
        return x, of_bypass, None, None, None, None


def _graph_is_kept() -> bool:
    """Whether what runs now is backward(retain_graph=True), after which there may be another backward pass."""
    autograd: Any = torch._C._autograd
    kept: bool = autograd._get_current_graph_task_keep_graph()
    return kept


def _matrix(x: Tensor) -> np.ndarray:
    """[..., D] -> [rows, D], the same memory."""
    made: np.ndarray = x.detach().view(-1, x.shape[-1]).numpy()
    return made
