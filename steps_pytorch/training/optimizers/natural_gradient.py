"""nnet3's own way to train its networks: natural gradient, max-change, semi-orthogonal constraints and the rest."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from nnet3_compat.modules.base import ComponentModule
from nnet3_compat.training.options import TrainerOptions
from nnet3_compat.training.rules import TrainingRules
from steps_pytorch.models.nnet3 import Nnet3Model
from steps_pytorch.training.optimizers.base import OPTIMIZERS, Setting, average_nested


@dataclass
class NaturalGradientOptions:
    """As of nnet3-train."""

    max_param_change: float = option(2.0, "Largest change of all parameters in an update (Euclidean norm), 0: any")
    momentum: float = option(0.0, "Momentum; learning rates are multiplied by one minus it")
    l2_regularize_factor: float = option(1.0, "Factor of the components' own l2-regularize values")
    batchnorm_stats_scale: float = option(0.8, "Factor of the statistics of batch norm after each update")


class NaturalGradient:
    """``TrainingRules`` as an optimizer: on the sum over frames, as Kaldi's learning rates are meant."""

    scales_with_jobs = True

    def __init__(self, model: Nnet3Model, options: TrainerOptions, setting: Setting) -> None:
        # All processes draw the same numbers: they apply the same constraints.
        self._random = random.Random(setting.seed)
        self._factors = setting.factors
        for name, module in model.network.modules_by_name().items():  # whatever rates their file has
            for part in module.modules():
                if isinstance(part, ComponentModule) and part.component.is_updatable:
                    part.component.set_underlying_learning_rate(self._factors.get(name, 1.0))
        frozen = [name for name, factor in self._factors.items() if not factor]
        self._rules = TrainingRules(model.network, options, self._chance, quiet=True, frozen=frozen)
        model.is_watched = True
        self._group, self._rate = setting.group, 0.0
        if self._group.size > 1:
            self._rules.reduce = self._group.add_up

    def _chance(self, what: str, probability: float) -> bool:
        return self._random.random() < probability

    def before_minibatch(self) -> None:
        self._rules.before_minibatch()

    def backward(self, total: Tensor) -> None:
        (-total).backward()

    def step(self, rate: float, frames: float, sequences: int) -> bool:
        frames, all_sequences = self._group.totals([frames, sequences])
        self._set_rate(rate)
        if not frames:
            self._rules.forget_minibatch()
            return False
        return self._rules.update(int(all_sequences))

    def _set_rate(self, rate: float) -> None:
        self._rate = rate
        self._rules.set_learning_rate(rate, self._factors)

    def state_dict(self) -> dict[str, Any]:
        return {"rules": self._rules.state_dict(), "random": self._random.getstate(), "rate": self._rate}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._rules.load_state_dict(state["rules"])
        version, numbers, gauss = state["random"]
        self._random.setstate((version, tuple(numbers), gauss))
        self._set_rate(state["rate"])  # model files hold it

    def average_states(self, states: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        """Momentum is averaged; estimates of natural gradient, bases of subspaces, are the first job's."""
        changes = average_nested("changes", [state["rules"]["changes"] for state in states], weights)
        return {**states[0], "rules": {**states[0]["rules"], "changes": changes}}


@OPTIMIZERS.add("natural-gradient", NaturalGradientOptions)
def make_natural_gradient(options: NaturalGradientOptions, setting: Setting) -> NaturalGradient:
    """Raises KaldiError for a model that is not nnet3's, or options that do not go with it."""
    if not isinstance(setting.model, Nnet3Model):
        raise KaldiError("--optimizer=natural-gradient is for --model=nnet3 only; take sgd, adam or adamw")
    if setting.clip_norm:
        raise KaldiError("--clip-norm does not go with natural-gradient, which has --max-param-change for it")
    if setting.half_precision or next(setting.objective.parameters(), None) is not None:
        raise KaldiError("--optimizer=natural-gradient takes neither float16 nor objectives with parameters")
    if not (0.0 <= options.momentum < 1.0 and 0.0 <= options.batchnorm_stats_scale <= 1.0):
        raise KaldiError("natural-gradient: --momentum and --batchnorm-stats-scale must lie between 0 and 1")
    factor = options.l2_regularize_factor / setting.num_jobs
    rules = TrainerOptions(**{**vars(options), "l2_regularize_factor": factor})
    return NaturalGradient(setting.model, rules, setting)
