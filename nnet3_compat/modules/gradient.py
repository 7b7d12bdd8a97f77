"""Components that pass their input on and change only what flows back (ClipGradient, BackpropTruncation, NoOp)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nnet3_compat.modules.base import ComponentModule, module_for


class _ScaleGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return gradient * ctx.scale, None


class _ClipGradient(torch.autograd.Function):
    """Rows (last dimension) of the gradient scaled to a norm of at most ``threshold``, or elements clipped to it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, threshold: float, by_norm: bool) -> Tensor:
        ctx.threshold, ctx.by_norm = threshold, by_norm
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        if ctx.threshold == 0.0:
            return torch.zeros_like(gradient), None, None
        if not ctx.by_norm:
            return gradient.clamp(-ctx.threshold, ctx.threshold), None, None
        norm = torch.linalg.vector_norm(gradient, dim=-1, keepdim=True)
        return gradient * (ctx.threshold / norm.clamp(min=ctx.threshold)), None, None


class _ZeroGradient(torch.autograd.Function):
    """Rows of the gradient set to zero where ``boundary`` is true and their norm is above ``threshold``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, boundary: Tensor, threshold: float) -> Tensor:
        ctx.threshold = threshold
        ctx.save_for_backward(boundary)
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        (boundary,) = ctx.saved_tensors
        norm = torch.linalg.vector_norm(gradient, dim=-1, keepdim=True)
        return gradient.masked_fill(boundary & (norm > ctx.threshold), 0.0), None, None


@module_for("NoOpComponent")
class NoOp(ComponentModule):
    """y = x; in training the gradient is scaled by ``backprop_scale``."""

    def __init__(self, component: Any) -> None:
        super().__init__(component)
        self.backprop_scale: float = component.backprop_scale

    def forward(self, x: Tensor) -> Tensor:
        if not torch.jit.is_scripting() and self.training and self.backprop_scale != 1.0:
            return _ScaleGradient.apply(x, self.backprop_scale)
        return x


@module_for("ClipGradientComponent")
class ClipGradient(ComponentModule):
    """y = x; in training the gradient of each row is clipped, by its norm or element by element.

    A threshold of 0 stops the gradient, a negative one leaves it alone. Self-repair is a training rule and not here.
    """

    def __init__(self, component: Any) -> None:
        super().__init__(component)
        self.threshold: float = component.clipping_threshold
        self.by_norm: bool = component.norm_based_clipping

    def forward(self, x: Tensor) -> Tensor:
        if not torch.jit.is_scripting() and self.training and self.threshold >= 0.0:
            return _ClipGradient.apply(x, self.threshold, self.by_norm)
        return x


@module_for("BackpropTruncationComponent")
class BackpropTruncation(ComponentModule):
    """y = ``scale`` x; in training each row of the gradient is clipped by its norm, and may be cut off.

    It is cut off, where its norm is above ``zeroing_threshold``, on frames that begin a new interval of
    ``zeroing_interval`` frames, shifted by the index of the sequence. A module does not see times: whoever runs it in
    training sets ``times`` to the time of each row of the next call; left None, only clipping takes place.
    """

    def __init__(self, component: Any) -> None:
        super().__init__(component)
        self.factor: float = component.scale_factor
        self.clipping: float = component.clipping_threshold if component.clipping_threshold > 0.0 else 1.0e10
        self.zeroing: float = component.zeroing_threshold if component.zeroing_threshold > 0.0 else 1.0e10
        self.zeroing_interval: int = component.zeroing_interval
        self.recurrence_interval: int = component.recurrence_interval
        none_given: Any = None  # an annotation of the attribute would be read by TorchScript
        self.times = none_given

    def forward(self, x: Tensor) -> Tensor:
        if not torch.jit.is_scripting() and self.training:
            x = self.limit_gradient(x)
        return x if self.factor == 1.0 else x * self.factor

    @torch.jit.unused
    def limit_gradient(self, x: Tensor) -> Tensor:
        """Training mode; [T, N, D]. The order of the two rules follows Kaldi: both look at the incoming gradient."""
        if self.times is not None:
            t = self.times.to(x.device).view(-1, 1) - torch.arange(x.size(1), device=x.device)
            interval = self.zeroing_interval
            crossed = t.div(interval, rounding_mode="floor") != (t - self.recurrence_interval).div(
                interval, rounding_mode="floor"
            )
            # The one applied last here is the first to see the gradient, and clipping leaves zeros alone.
            return _ZeroGradient.apply(_ClipGradient.apply(x, self.clipping, True), crossed.unsqueeze(-1), self.zeroing)
        return _ClipGradient.apply(x, self.clipping, True)
