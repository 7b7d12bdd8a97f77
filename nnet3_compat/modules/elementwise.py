"""Scales and offsets per dimension (Kaldi: nnet3/nnet-simple-component.cc)."""

from __future__ import annotations

import torch
from torch import Tensor

from nnet3_compat.components.fixed import FixedBiasComponent, FixedScaleComponent
from nnet3_compat.components.per_element import (
    NaturalGradientPerElementScaleComponent,
    PerElementOffsetComponent,
    PerElementScaleComponent,
    ScaleAndOffsetComponent,
)
from nnet3_compat.modules.base import ComponentModule, module_for


@module_for(PerElementScaleComponent, NaturalGradientPerElementScaleComponent)
class PerElementScale(ComponentModule[PerElementScaleComponent]):
    """y_i = s_i x_i."""

    PARAMS = ("scales",)
    ROLES = ("scale",)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scales


@module_for(PerElementOffsetComponent)
class PerElementOffset(ComponentModule[PerElementOffsetComponent]):
    """y_i = x_i + b_i; fewer offsets than dimensions are repeated."""

    PARAMS = ("offsets",)
    ROLES = ("offset",)

    def __init__(self, component: PerElementOffsetComponent) -> None:
        super().__init__(component)
        self.repeats: int = component.dim // component.offsets.size

    def forward(self, x: Tensor) -> Tensor:
        return x + (self.offsets if self.repeats == 1 else self.offsets.repeat(self.repeats))


@module_for(ScaleAndOffsetComponent)
class ScaleAndOffset(ComponentModule[ScaleAndOffsetComponent]):
    """y_i = s_i x_i + b_i, repeated over blocks. Scales stay 1e-4 away from zero, as they must be invertible."""

    PARAMS = ("scales", "offsets")
    ROLES = ("scale", "offset")

    def __init__(self, component: ScaleAndOffsetComponent) -> None:
        super().__init__(component)
        self.repeats: int = component.dim // component.scales.size

    def forward(self, x: Tensor) -> Tensor:
        least = 1.0e-04
        scales = self.scales
        sign = torch.where(scales >= 0.0, 1.0, -1.0)
        # The derivative goes to the scales as if there were no floor, as in Kaldi.
        scales = scales + (sign * torch.clamp(scales.abs(), min=least) - scales).detach()
        offsets = self.offsets
        if self.repeats > 1:
            scales, offsets = scales.repeat(self.repeats), offsets.repeat(self.repeats)
        return torch.addcmul(offsets, x, scales)


@module_for(FixedScaleComponent)
class FixedScale(ComponentModule[FixedScaleComponent]):
    """y_i = s_i x_i with constants."""

    def __init__(self, component: FixedScaleComponent) -> None:
        super().__init__(component)
        self.register_buffer("scales", torch.tensor(component.scales))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scales


@module_for(FixedBiasComponent)
class FixedBias(ComponentModule[FixedBiasComponent]):
    """y_i = x_i + b_i with constants."""

    def __init__(self, component: FixedBiasComponent) -> None:
        super().__init__(component)
        self.register_buffer("bias", torch.tensor(component.bias))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias
