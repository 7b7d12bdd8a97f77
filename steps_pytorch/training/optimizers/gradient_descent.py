"""PyTorch's own optimizers, on the mean gradient over all frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from steps_pytorch.training.optimizers.base import OPTIMIZERS, Optimizer, Setting, average_nested
from steps_pytorch.training.optimizers.layer_factors import parameters_by_factor

Groups = list[dict[str, Any]]
"""As PyTorch's optimizers take them: ``params``, and the ``factor`` of their learning rate."""


class GradientOptimizer:
    """One of PyTorch's, on the mean gradient over all frames.

    Args:
        make: the optimizer of groups of parameters.
        clip_norm: largest norm of the gradient, to which longer ones are shortened; 0: any.
        half_precision: scales losses so that float16 can hold their derivatives.
    """

    def __init__(
        self,
        make: Callable[[Groups], torch.optim.Optimizer],
        setting: Setting,
        scales_with_jobs: bool = False,
    ) -> None:
        rated = parameters_by_factor(setting.model, setting.factors)
        rated.setdefault(1.0, []).extend(p for p in setting.objective.parameters() if p.requires_grad)
        groups: Groups = [{"params": params, "factor": factor} for factor, params in rated.items() if params]
        self._parameters = [parameter for group in groups for parameter in group["params"]]
        if not self._parameters:
            raise KaldiError("the model has no parameters to train")
        self._optimizer = make(groups)
        self._after_update = setting.model.after_update
        self._group, self._clip_norm = setting.group, setting.clip_norm
        self._scaler = torch.GradScaler(setting.group.device.type, enabled=setting.half_precision)
        self.scales_with_jobs = scales_with_jobs

    def before_minibatch(self) -> None:
        pass

    def backward(self, total: Tensor) -> None:
        self._scaler.scale(total).backward()

    def step(self, rate: float, frames: float, sequences: int) -> bool:
        for parameter in self._parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [parameter.grad for parameter in self._parameters if parameter.grad is not None]
        self._group.add_up(gradients)
        (frames,) = self._group.totals([frames])
        self._scaler.unscale_(self._optimizer)
        torch._foreach_div_(gradients, max(frames, 1.0))
        norm = nn.utils.get_total_norm(gradients)
        finite = bool(norm.isfinite())
        if self._clip_norm:
            nn.utils.clip_grads_with_norm_(self._parameters, self._clip_norm, norm)
        for parameters in self._optimizer.param_groups:
            parameters["lr"] = rate * parameters["factor"]
        if finite and frames:
            self._scaler.step(self._optimizer)
        self._scaler.update()
        self._optimizer.zero_grad()
        self._after_update()
        return finite and frames > 0

    def state_dict(self) -> dict[str, Any]:
        return {"optimizer": self._optimizer.state_dict(), "scaler": self._scaler.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._optimizer.load_state_dict(state["optimizer"])
        self._scaler.load_state_dict(state["scaler"])

    def average_states(self, states: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        return average_nested("optimizer", states, weights)


@dataclass
class SgdOptions:
    """Options of ``sgd``."""

    momentum: float = option(0.0, "Momentum")
    weight_decay: float = option(0.0, "L2 regularization of the parameters")
    nesterov: bool = option(False, "Nesterov's momentum")


@OPTIMIZERS.add("sgd", SgdOptions)
def make_sgd(options: SgdOptions, setting: Setting) -> Optimizer:
    """Stochastic gradient descent."""
    return GradientOptimizer(lambda p: torch.optim.SGD(p, lr=1.0, **vars(options)), setting, scales_with_jobs=True)


@dataclass
class AdamOptions:
    """Options of ``adam`` and ``adamw``."""

    beta1: float = option(0.9, "How much of the mean of gradients is kept")
    beta2: float = option(0.999, "How much of the mean of squared gradients is kept")
    epsilon: float = option(1e-8, "Added to the root of the mean of squared gradients")
    weight_decay: float = option(0.0, "L2 regularization of the parameters (adamw: decay apart from the gradient)")

    def keywords(self) -> dict[str, Any]:
        return {"betas": (self.beta1, self.beta2), "eps": self.epsilon, "weight_decay": self.weight_decay}


@OPTIMIZERS.add("adam", AdamOptions)
def make_adam(options: AdamOptions, setting: Setting) -> Optimizer:
    """Adam."""
    return GradientOptimizer(lambda p: torch.optim.Adam(p, lr=1.0, **options.keywords()), setting)


@OPTIMIZERS.add("adamw", AdamOptions)
def make_adamw(options: AdamOptions, setting: Setting) -> Optimizer:
    """Adam, with decay apart from the gradient."""
    return GradientOptimizer(lambda p: torch.optim.AdamW(p, lr=1.0, **options.keywords()), setting)


@dataclass
class AdadeltaOptions:
    """Options of ``adadelta``."""

    rho: float = option(0.9, "How much of the means is kept")
    epsilon: float = option(1e-6, "Added to the means")
    weight_decay: float = option(0.0, "L2 regularization of the parameters")


@OPTIMIZERS.add("adadelta", AdadeltaOptions)
def make_adadelta(options: AdadeltaOptions, setting: Setting) -> Optimizer:
    """Adadelta."""

    def make(groups: Groups) -> torch.optim.Optimizer:
        o = options
        return torch.optim.Adadelta(groups, lr=1.0, rho=o.rho, eps=o.epsilon, weight_decay=o.weight_decay)

    return GradientOptimizer(make, setting)
