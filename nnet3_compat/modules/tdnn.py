"""Affine map of several frames (Kaldi: nnet3/nnet-tdnn-component.cc)."""

from __future__ import annotations

from typing import Any, List  # noqa: UP035  (TorchScript)

import torch
import torch.nn.functional as F
from torch import Tensor

from nnet3_compat.modules.base import ComponentModule, module_for


@module_for("TdnnComponent")
class Tdnn(ComponentModule):
    """y_t = b + sum_k W_k x_{t + offset_k}; the columns of ``linear_params`` are W_0, W_1, ...

    One matrix product per offset, each adding to the same result: frames that lie densely are not copied.
    """

    PARAMS = ("linear_params", "bias_params")

    def __init__(self, component: Any) -> None:
        super().__init__(component)
        self.has_bias: bool = component.bias_params.size > 0
        self.input_dim: int = component.input_dim

    def forward(self, taps: List[Tensor], valid: List[Tensor]) -> Tensor:  # noqa: UP006
        first, weight, dim = taps[0], self.linear_params, self.input_dim
        if len(taps) == 1:
            return F.linear(first, weight, self.bias_params if self.has_bias else None)
        rows = first.reshape(-1, dim)
        if self.has_bias:
            y = torch.addmm(self.bias_params, rows, weight[:, :dim].t())
        else:
            y = torch.mm(rows, weight[:, :dim].t())
        for k in range(1, len(taps)):
            y.addmm_(taps[k].reshape(-1, dim), weight[:, k * dim : (k + 1) * dim].t())
        return y.view(first.size(0), first.size(1), -1)
