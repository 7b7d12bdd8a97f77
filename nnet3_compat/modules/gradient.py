"""Components that pass their input on and change only what flows back (ClipGradient, BackpropTruncation, NoOp)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nnet3_compat.components.backprop import BackpropTruncationComponent, ClipGradientComponent, NoOpComponent
from nnet3_compat.modules.base import ComponentModule, TimedModule, module_for


class _ScaleGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * ctx.scale, None


class _ClipGradient(torch.autograd.Function):
    """Rows (last dimension) of the gradient scaled to a norm of at most ``threshold``, or elements clipped to it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, threshold: float, by_norm: bool) -> Tensor:
        ctx.threshold, ctx.by_norm = threshold, by_norm
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        if ctx.threshold == 0.0:
            return torch.zeros_like(gradient), None, None
        if not ctx.by_norm:
            return gradient.clamp(-ctx.threshold, ctx.threshold), None, None
        norm = torch.linalg.vector_norm(gradient, dim=-1, keepdim=True)
        return gradient * (ctx.threshold / norm.clamp(min=ctx.threshold)), None, None


class _Truncate(torch.autograd.Function):
    """The derivative of each row as ``BackpropTruncation`` limits it, which counts what is done."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, marks: Tensor, module: BackpropTruncation) -> Tensor:
        ctx.module = module
        ctx.save_for_backward(marks)
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (marks,) = ctx.saved_tensors
        return gradient * ctx.module.derivative_scales(gradient, marks).unsqueeze(-1), None, None


@module_for(NoOpComponent)
class NoOp(ComponentModule[NoOpComponent]):
    """y = x; in training the gradient is scaled by ``backprop_scale``."""

    def __init__(self, component: NoOpComponent) -> None:
        super().__init__(component)
        self.backprop_scale: float = component.backprop_scale

    def forward(self, x: Tensor) -> Tensor:
        if not torch.jit.is_scripting() and self.training and self.backprop_scale != 1.0:
            return _ScaleGradient.apply(x, self.backprop_scale)
        return x


@module_for(ClipGradientComponent)
class ClipGradient(ComponentModule[ClipGradientComponent]):
    """y = x; in training the gradient of each row is clipped, by its norm or element by element.

    A threshold of 0 stops the gradient, a negative one leaves it alone. Self-repair is a training rule and not here.
    """

    def __init__(self, component: ClipGradientComponent) -> None:
        super().__init__(component)
        self.threshold: float = component.clipping_threshold
        self.by_norm: bool = component.norm_based_clipping

    def forward(self, x: Tensor) -> Tensor:
        if not torch.jit.is_scripting() and self.training and self.threshold >= 0.0:
            return _ClipGradient.apply(x, self.threshold, self.by_norm)
        return x


@module_for(BackpropTruncationComponent)
class BackpropTruncation(TimedModule[BackpropTruncationComponent]):
    """y = ``scale`` x; in training each row of the derivative is clipped by its norm, and may be cut off.

    It is cut off, where its norm is above ``zeroing_threshold``, at zeroing boundaries: frames t of sequence n such
    that a multiple of ``zeroing_interval`` is above t - n - ``recurrence_interval`` and not above t - n. Both rules
    look at the derivative that comes in (nnet3/nnet-general-component.cc). A threshold of zero or less is none.
    """

    STATS = ("count", "count_zeroing_boundaries", "num_clipped", "num_zeroed")

    def __init__(self, component: BackpropTruncationComponent) -> None:
        super().__init__(component)
        self.factor: float = component.scale_factor
        self.clipping: float = component.clipping_threshold if component.clipping_threshold > 0.0 else 1.0e10
        self.zeroing: float = component.zeroing_threshold if component.zeroing_threshold > 0.0 else 1.0e10
        self.zeroing_interval: int = component.zeroing_interval
        self.recurrence_interval: int = component.recurrence_interval

    def forward(self, x: Tensor) -> Tensor:
        return x if self.factor == 1.0 else x * self.factor

    @torch.jit.unused
    def time_marks(self, times: Tensor, sequences: int) -> Tensor:
        """[T, N] for rows at ``times`` [T]: 2 at a zeroing boundary, else 1."""
        t = times.unsqueeze(1) - torch.arange(sequences, device=times.device)
        before, interval = t - self.recurrence_interval, self.zeroing_interval
        crossed = t.div(interval, rounding_mode="floor") != before.div(interval, rounding_mode="floor")
        return crossed.to(torch.uint8) + 1

    @torch.jit.unused
    def train_on(self, x: Tensor, marks: Tensor) -> Tensor:
        """As forward, for rows with ``marks`` [T, N], 0 where a row is not to be counted."""
        return self.forward(_Truncate.apply(x, marks, self))

    @torch.jit.unused
    def derivative_scales(self, derivative: Tensor, marks: Tensor) -> Tensor:
        """The factor [T, N] of each row of the derivative [T, N, D] at the input; counts rows."""
        norm = torch.linalg.vector_norm(derivative, dim=-1)
        boundary = marks == 2
        zeroed = boundary & (norm > self.zeroing)
        self.count += marks.count_nonzero()
        self.count_zeroing_boundaries += boundary.sum()
        self.num_clipped += (norm > self.clipping).sum()
        self.num_zeroed += zeroed.sum()
        return (self.clipping / norm.clamp(min=self.clipping)).masked_fill(zeroed, 0.0)
