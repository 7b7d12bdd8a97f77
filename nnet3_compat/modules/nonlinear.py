"""Element-wise nonlinearities and softmax (Kaldi: nnet3/nnet-simple-component.cc)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nnet3_compat.modules.base import ComponentModule, last_rows, module_for


class Nonlinear(ComponentModule):
    """A nonlinearity that can remember the means of its outputs and derivatives.

    Attributes:
        store_stats: accumulate ``value_sum``, ``deriv_sum`` and ``count`` in training mode (off by default: it costs
            two passes over the data, and only diagnostics and Kaldi's self-repair read them).
    """

    STATS = ("value_sum", "deriv_sum", "count")

    def __init__(self, component: Any) -> None:
        super().__init__(component)
        self.store_stats: bool = False

    def remember(self, y: Tensor, derivative: Tensor | None) -> None:
        """Add the outputs, and the derivatives where there are any, of one call."""
        rows = last_rows(y.detach())
        if self.value_sum.numel() == 0:
            self.register_buffer("value_sum", rows.new_zeros(rows.size(1), dtype=torch.float64))
        self.value_sum += rows.sum(0)
        if derivative is not None:
            if self.deriv_sum.numel() == 0:
                self.register_buffer("deriv_sum", rows.new_zeros(rows.size(1), dtype=torch.float64))
            self.deriv_sum += last_rows(derivative).sum(0)
        self.count += rows.size(0)


@module_for("SigmoidComponent")
class Sigmoid(Nonlinear):
    def forward(self, x: Tensor) -> Tensor:
        y = torch.sigmoid(x)
        if not torch.jit.is_scripting() and self.training and self.store_stats:
            v = y.detach()
            self.remember(v, v * (1.0 - v))
        return y


@module_for("TanhComponent")
class Tanh(Nonlinear):
    def forward(self, x: Tensor) -> Tensor:
        y = torch.tanh(x)
        if not torch.jit.is_scripting() and self.training and self.store_stats:
            self.remember(y, 1.0 - y.detach() ** 2)
        return y


@module_for("RectifiedLinearComponent")
class RectifiedLinear(Nonlinear):
    """max(x, 0)."""

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(x)
        if not torch.jit.is_scripting() and self.training and self.store_stats:
            self.remember(y, (y.detach() > 0).to(y.dtype))
        return y


@module_for("SoftmaxComponent")
class Softmax(Nonlinear):
    """Probabilities, none below 1e-20."""

    def forward(self, x: Tensor) -> Tensor:
        y = torch.clamp(torch.softmax(x, dim=-1), min=1.0e-20)
        if not torch.jit.is_scripting() and self.training and self.store_stats:
            self.remember(y, None)
        return y


@module_for("LogSoftmaxComponent")
class LogSoftmax(Nonlinear):
    """Log probabilities; it stores no statistics, but may have been read with some."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.log_softmax(x, dim=-1)
