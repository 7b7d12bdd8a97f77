"""Affine maps of single frames (Kaldi: nnet3/nnet-simple-component.cc)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from nnet3_compat.components.affine import AffineComponent, LinearComponent, NaturalGradientAffineComponent
from nnet3_compat.components.fixed import FixedAffineComponent
from nnet3_compat.components.repeated_affine import (
    BlockAffineComponent,
    NaturalGradientRepeatedAffineComponent,
    RepeatedAffineComponent,
)
from nnet3_compat.modules.base import ComponentModule, in_blocks, join_blocks, module_for
from nnet3_compat.modules.products import linear


@module_for(AffineComponent, NaturalGradientAffineComponent)
class Affine(ComponentModule[AffineComponent]):
    """y = W x + b."""

    PARAMS = ("linear_params", "bias_params")
    ROLES = ("weight", "bias")

    def forward(self, x: Tensor) -> Tensor:
        if not torch.jit.is_scripting() and self.training:
            return linear(x, self.linear_params, self.bias_params)
        return F.linear(x, self.linear_params, self.bias_params)

    def affine(self) -> tuple[Tensor, Tensor | None]:
        return self.linear_params, self.bias_params


@module_for(LinearComponent)
class Linear(ComponentModule[LinearComponent]):
    """y = W x."""

    PARAMS = ("params",)
    ROLES = ("weight",)

    def forward(self, x: Tensor) -> Tensor:
        if not torch.jit.is_scripting() and self.training:
            return linear(x, self.params)
        return F.linear(x, self.params)

    def affine(self) -> tuple[Tensor, Tensor | None]:
        return self.params, None


@module_for(FixedAffineComponent)
class FixedAffine(ComponentModule[FixedAffineComponent]):
    """y = W x + b with constants, such as the LDA-like transform at the input."""

    def __init__(self, component: FixedAffineComponent) -> None:
        super().__init__(component)
        self.register_buffer("linear_params", torch.tensor(component.linear_params))
        self.register_buffer("bias_params", torch.tensor(component.bias_params))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.linear_params, self.bias_params)

    def affine(self) -> tuple[Tensor, Tensor | None]:
        return self.linear_params, self.bias_params


@module_for(RepeatedAffineComponent, NaturalGradientRepeatedAffineComponent)
class RepeatedAffine(ComponentModule[RepeatedAffineComponent]):
    """The same affine map on each of ``num_repeats`` blocks."""

    PARAMS = ("linear_params", "bias_params")

    def __init__(self, component: RepeatedAffineComponent) -> None:
        super().__init__(component)
        self.num_repeats: int = component.num_repeats

    def forward(self, x: Tensor) -> Tensor:
        return join_blocks(F.linear(in_blocks(x, self.num_repeats), self.linear_params, self.bias_params))


@module_for(BlockAffineComponent)
class BlockAffine(ComponentModule[BlockAffineComponent]):
    """An affine map of its own for each of ``num_blocks`` blocks."""

    PARAMS = ("linear_params", "bias_params")

    def __init__(self, component: BlockAffineComponent) -> None:
        super().__init__(component)
        self.num_blocks: int = component.num_blocks

    def forward(self, x: Tensor) -> Tensor:
        rows = in_blocks(x, self.num_blocks).flatten(0, 1).transpose(0, 1)  # [B, rows, in]
        weight = self.linear_params.unflatten(0, [self.num_blocks, -1]).transpose(1, 2)  # [B, in, out]
        bias = self.bias_params.view(self.num_blocks, 1, -1)
        made = torch.baddbmm(bias, rows, weight)
        return made.transpose(0, 1).reshape(x.size(0), x.size(1), -1)
