"""The update of each component: a natural gradient that fits what its parameters do (modules/base.py, ROLES)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from torch import Tensor

from nnet3_compat.modules.base import ComponentModule, Role
from nnet3_compat.training.natural_gradient import OnlineNaturalGradient
from nnet3_compat.training.updates import AffineUpdate, GradientUpdate, PlainUpdate, RowUpdate, Update


def make_update(module: ComponentModule[Any], natural_gradient: bool = True) -> Update:
    """The update of a component with parameters; plain where it holds a gradient, or natural gradient is off."""
    component = module.component
    wanted = component.natural_gradient() if natural_gradient and not component.is_gradient else ()
    estimates = [OnlineNaturalGradient(**asdict(settings)) for settings in wanted]
    if not estimates:
        return PlainUpdate(module)
    if "weight" in module.ROLES:
        inputs, outputs = estimates
        return AffineUpdate(module, inputs, outputs)
    if module.ROLES:
        return RowUpdate(module, [(e, _DERIVATIVES[role]) for e, role in zip(estimates, module.ROLES, strict=True)])
    return GradientUpdate(module, *estimates)


def _of_scale(x: Tensor, derivative: Tensor) -> Tensor:
    return x * derivative


def _of_offset(x: Tensor, derivative: Tensor) -> Tensor:
    return derivative


_DERIVATIVES: dict[Role, Callable[[Tensor, Tensor], Tensor]] = {"scale": _of_scale, "offset": _of_offset}
"""Of each row, from what goes in and from the derivative of what comes out."""
