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

    Either one product with the spliced frames, or one product per offset that adds to the first one's result. The
    second copies nothing when the frames of a tap lie densely, so it is taken for wide inputs.
    """

    PARAMS = ("linear_params", "bias_params")

    def __init__(self, component: Any) -> None:
        super().__init__(component)
        self.has_bias: bool = component.bias_params.size > 0
        self.input_dim: int = component.input_dim

    def forward(self, taps: List[Tensor], valid: List[Tensor]) -> Tensor:  # noqa: UP006
        first = taps[0]
        weight = self.linear_params
        if len(taps) == 1:
            return F.linear(first, weight, self.bias_params if self.has_bias else None)
        spliced = torch.cat(taps, dim=-1)
        return F.linear(spliced, weight, self.bias_params if self.has_bias else None)
