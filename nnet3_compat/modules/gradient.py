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
    """The derivative as ``ClipGradient`` clips it, which counts what is done."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, module: ClipGradient) -> Tensor:
        ctx.module = module
        ctx.save_for_backward(x)
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return ctx.module.clip(gradient, x), None


def repaired(derivative: Tensor, x: Tensor, strength: float, target: float) -> Tensor:
    """The derivative with a term that draws what is further from zero than ``target`` back, and of the same size.

    The term of each row is proportional to sign(x) max(|x| - target, 0), its mean norm ``strength`` times that of the
    derivative (nnet3/nnet-simple-component.cc, ClipGradientComponent::RepairGradients).
    """

    def size(rows: Tensor) -> Tensor:
        return torch.linalg.vector_norm(rows, dim=-1).mean()

    term = torch.where(x > 0.0, 1.0, -1.0) * (x.abs() - target).clamp(min=0.0)
    before, least = size(derivative), torch.finfo(x.dtype).tiny
    made = derivative - term * (strength * before / size(term).clamp(min=least))
    return made * (before / size(made).clamp(min=least))


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
    """y = x; in training the derivative of each row is clipped, by its norm or element by element.

    A threshold of 0 stops the derivative, a negative one leaves it alone. Rows that are clipped by norm are counted;
    where they are too many, and training's ``chance`` says so, the input is drawn back (see ``repaired``) by
    ``self_repair_scale`` times their proportion.
    """

    STATS = ("count", "num_clipped")
    REPAIR_PROBABILITY = 0.5

    def __init__(self, component: ClipGradientComponent) -> None:
        super().__init__(component)
        self.threshold: float = component.clipping_threshold
        self.by_norm: bool = component.norm_based_clipping
        never: Any = None  # an annotation of the attribute would be read by TorchScript
        self.chance = never

    def forward(self, x: Tensor) -> Tensor:
        if not torch.jit.is_scripting() and self.training and self.threshold >= 0.0:
            return _ClipGradient.apply(x, self)
        return x

    @torch.jit.unused
    def clip(self, derivative: Tensor, x: Tensor) -> Tensor:
        """The derivative [T, N, D] at the input x, from that at the output; counts rows."""
        if self.threshold == 0.0:
            return torch.zeros_like(derivative)
        if not self.by_norm:
            return derivative.clamp(-self.threshold, self.threshold)
        norm = torch.linalg.vector_norm(derivative, dim=-1, keepdim=True)
        clipped = derivative * (self.threshold / norm.clamp(min=self.threshold))
        self.count.add_(norm.numel())
        self.num_clipped.add_((norm > self.threshold).sum())
        limit, scale = self.component.self_repair_clipped_proportion_threshold, self.component.self_repair_scale
        if self.chance is None or limit >= 1.0 or scale == 0.0 or not self.chance(self.REPAIR_PROBABILITY):
            return clipped
        proportion = float(self.num_clipped / self.count)
        if proportion <= limit:
            return clipped
        strength = scale * proportion / self.REPAIR_PROBABILITY
        return repaired(clipped, x, strength, self.component.self_repair_target)


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
        self.count.add_(marks.count_nonzero())
        self.count_zeroing_boundaries.add_(boundary.sum())
        self.num_clipped.add_((norm > self.clipping).sum())
        self.num_zeroed.add_(zeroed.sum())
        return (self.clipping / norm.clamp(min=self.clipping)).masked_fill(zeroed, 0.0)
