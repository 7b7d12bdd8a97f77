"""Outputs that do not depend on the input (Kaldi: ConstantFunctionComponent, ConstantComponent)."""

from __future__ import annotations

from torch import Tensor

from nnet3_compat.components.constant import ConstantComponent, ConstantFunctionComponent
from nnet3_compat.modules.base import ComponentModule, module_for


@module_for(ConstantFunctionComponent, ConstantComponent)
class Constant(ComponentModule[ConstantComponent]):
    """The same vector for every frame; only the first two dimensions of ``x`` are looked at."""

    PARAMS = ("output",)
    ROLES = ("offset",)

    def forward(self, x: Tensor) -> Tensor:
        return self.output.expand(x.size(0), x.size(1), self.output.size(0))
