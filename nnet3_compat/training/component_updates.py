"""Which update each component type has, and with which settings (Kaldi: SetNaturalGradientConfigs and the like)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from nnet3_compat.modules.base import ComponentModule
from nnet3_compat.training.natural_gradient import OnlineNaturalGradient
from nnet3_compat.training.updates import AffineUpdate, GradientUpdate, PlainUpdate, RowUpdate, Update


def make_update(module: ComponentModule, natural_gradient: bool = True) -> Update:
    """The update of a component with parameters; plain where it holds a gradient, or natural gradient is off."""
    component: Any = module.component
    off = component.is_gradient or not getattr(component, "use_natural_gradient", True)
    make = _NATURAL.get(component.TYPE)
    if off or make is None or not natural_gradient:
        return PlainUpdate(module)
    return make(module, component)


def _affine(module: ComponentModule, c: Any) -> Update:
    def estimate(rank: int) -> OnlineNaturalGradient:
        return OnlineNaturalGradient(rank, c.update_period, c.num_samples_history, alpha=c.alpha)

    return AffineUpdate(module, estimate(c.rank_in), estimate(c.rank_out))


def _tdnn(module: ComponentModule, c: Any) -> Update:
    def estimate(rank: int, alpha: float) -> OnlineNaturalGradient:
        return OnlineNaturalGradient(rank, 4, c.num_samples_history, alpha=alpha)

    return AffineUpdate(module, estimate(c.rank_in, c.alpha_in), estimate(c.rank_out, c.alpha_out))


def _repeated_affine(module: ComponentModule, c: Any) -> Update:
    rank = max(1, min(40, module.linear_params.shape[1] // 2))
    return GradientUpdate(module, OnlineNaturalGradient(rank, 4))


def _time_height(module: ComponentModule, c: Any) -> Update:
    def estimate(rank: int, alpha: float) -> OnlineNaturalGradient:
        return OnlineNaturalGradient(rank, num_minibatches_history=c.num_minibatches_history, alpha=alpha)

    return GradientUpdate(module, estimate(c.rank_in, c.alpha_in), estimate(c.rank_out, c.alpha_out))


def _lstm(module: ComponentModule, c: Any) -> Update:
    return GradientUpdate(module, OnlineNaturalGradient(20, 2, 1000.0))


def _gru(module: ComponentModule, c: Any) -> Update:
    def estimate(rank: int) -> OnlineNaturalGradient:
        return OnlineNaturalGradient(rank, c.update_period, alpha=c.alpha)

    return AffineUpdate(module, estimate(c.rank_in), estimate(c.rank_out), watched=module.product)


def _output_gru(module: ComponentModule, c: Any) -> Update:
    estimate = OnlineNaturalGradient(c.rank, c.update_period, alpha=c.alpha)
    return RowUpdate(module, [(estimate, _product)], watched=module.product)


def _scale(module: ComponentModule, c: Any) -> Update:
    estimate = OnlineNaturalGradient(c.rank, c.update_period, c.num_samples_history, alpha=c.alpha)
    return RowUpdate(module, [(estimate, _product)])


def _offset(module: ComponentModule, c: Any) -> Update:
    return RowUpdate(module, [(OnlineNaturalGradient(20, 4), _second)])


def _scale_and_offset(module: ComponentModule, c: Any) -> Update:
    estimates = [OnlineNaturalGradient(c.rank, 4) for _ in range(2)]
    return RowUpdate(module, [(estimates[0], _product), (estimates[1], _second)])


def _constant(module: ComponentModule, c: Any) -> Update:
    return RowUpdate(module, [(OnlineNaturalGradient(), _second)])


def _product(x: Tensor, derivative: Tensor) -> Tensor:
    return x * derivative


def _second(x: Tensor, derivative: Tensor) -> Tensor:
    return derivative


_NATURAL = {
    "NaturalGradientAffineComponent": _affine,
    "LinearComponent": _affine,
    "TdnnComponent": _tdnn,
    "NaturalGradientRepeatedAffineComponent": _repeated_affine,
    "TimeHeightConvolutionComponent": _time_height,
    "LstmNonlinearityComponent": _lstm,
    "GruNonlinearityComponent": _gru,
    "OutputGruNonlinearityComponent": _output_gru,
    "NaturalGradientPerElementScaleComponent": _scale,
    "PerElementOffsetComponent": _offset,
    "ScaleAndOffsetComponent": _scale_and_offset,
    "ConstantFunctionComponent": _constant,
    "ConstantComponent": _constant,
}
