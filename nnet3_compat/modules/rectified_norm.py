"""A rectified linear unit and what follows it in TDNN-F networks, as one operation in training.

    z = max(x, 0),   u = (z - mean) / deviation,   y = rms * u * mask + factor * bypass

Batch norm, and perhaps dropout and a sum with what bypasses the layer. Each of these alone reads and writes matrices of
all frames, which takes longer than the arithmetic; together they are two passes forward and two backward, in C++
(csrc/rectified_norm.h has the formulas). The numbers are those of the modules one after the other.
"""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from nnet3_compat.modules.dropout import GeneralDropout
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


@functools.cache
def extension() -> Any:
    """The C++ part; None where it was not built: then the modules compute one after the other."""
    try:
        return importlib.import_module("nnet3_compat.modules._csrc")
    except ImportError:
        return None


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

    def __call__(self, x: Tensor, bypass: Tensor | None = None, factor: float = 1.0) -> Tensor:
        """y [T, N, D] of x and bypass [T, N, D]."""
        mask = None
        if self.dropout is not None and self.dropout.draws():
            mask = self.dropout.draw(x.detach())
        made: Tensor = JoinedFunction.apply(x.contiguous(), bypass, factor, mask, self)
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
        ctx: Any, x: Tensor, bypass: Tensor | None, factor: float, mask: Tensor | None, operation: RectifiedNorm
    ) -> Tensor:
        native, threads, norm, rows = extension(), torch.get_num_threads(), operation.norm, x.shape[0] * x.shape[1]
        sums, squares, positive = map(torch.from_numpy, native.rectified_moments(_matrix(x), threads))
        mean = sums / rows
        variance = (squares / rows - mean * mean).clamp(min=0.0)
        operation.see_values(sums, positive, mean, variance, rows)
        inverse = (variance + norm.epsilon).rsqrt()
        lines = mean.float().numpy(), (norm.target_rms * inverse).float().numpy()
        y = torch.empty_like(x)
        masked, added = (None if tensor is None else _matrix(tensor) for tensor in (mask, bypass))
        native.normalize_rectified(_matrix(x), *lines, masked, added, factor, _matrix(y), threads)
        ctx.x, ctx.lines, ctx.inverse, ctx.mask, ctx.factor, ctx.operation = (
            x.detach(), lines, inverse, masked, factor, operation,
        )  # fmt: skip
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
        of_bypass = torch.empty_like(x) if ctx.needs_input_grad[1] else None
        squares = native.rectified_gradient(
            dy, _matrix(x), mean, scale, *(line.float().numpy() for line in (offset, slope, push)), ctx.mask,
            ctx.factor, None if of_bypass is None else _matrix(of_bypass), threads,
        )  # fmt: skip
        for watch in operation.unit.watches or ():
            watch.see_derivatives(torch.from_numpy(squares), rows)
        return x, of_bypass, None, None, None


def _graph_is_kept() -> bool:
    """Whether what runs now is backward(retain_graph=True), after which there may be another backward pass."""
    autograd: Any = torch._C._autograd
    kept: bool = autograd._get_current_graph_task_keep_graph()
    return kept


def _matrix(x: Tensor) -> np.ndarray:
    """[..., D] -> [rows, D], the same memory."""
    made: np.ndarray = x.detach().view(-1, x.shape[-1]).numpy()
    return made
