"""Element-wise nonlinearities and softmax (Kaldi: nnet3/nnet-simple-component.cc)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nnet3_compat.components.nonlinear import (
    LogSoftmaxComponent,
    NonlinearComponent,
    RectifiedLinearComponent,
    SigmoidComponent,
    SoftmaxComponent,
    TanhComponent,
)
from nnet3_compat.modules.base import ComponentModule, module_for


class Nonlinear(ComponentModule[NonlinearComponent]):
    """A nonlinearity with sums of its values and derivatives, kept by those who train it (training/activations.py)."""

    STATS = (
        "value_sum",
        "deriv_sum",
        "oderiv_sumsq",
        "count",
        "oderiv_count",
        "num_dims_self_repaired",
        "num_dims_processed",
    )
    KIND = ""


@module_for(SigmoidComponent)
class Sigmoid(Nonlinear):
    """1 / (1 + exp(-x))."""

    KIND = "sigmoid"

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(x)


@module_for(TanhComponent)
class Tanh(Nonlinear):
    """The hyperbolic tangent."""

    KIND = "tanh"

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x)


@module_for(RectifiedLinearComponent)
class RectifiedLinear(Nonlinear):
    """max(x, 0).

    Attributes:
        watches: in training, objects that see what happens where this is computed with what follows
            (rectified_norm.py); hooks of theirs see it where it is computed alone.
    """

    KIND = "relu"

    def __init__(self, component: NonlinearComponent) -> None:
        super().__init__(component)
        nobody: Any = None  # an annotation of the attribute would be read by TorchScript
        self.watches = nobody

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x)


@module_for(SoftmaxComponent)
class Softmax(Nonlinear):
    """Probabilities, none below 1e-20."""

    KIND = "softmax"

    def forward(self, x: Tensor) -> Tensor:
        return torch.clamp(torch.softmax(x, dim=-1), min=1.0e-20)


@module_for(LogSoftmaxComponent)
class LogSoftmax(Nonlinear):
    """Log probabilities."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.log_softmax(x, dim=-1)
