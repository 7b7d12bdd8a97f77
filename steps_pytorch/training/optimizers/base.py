"""How derivatives become changes of parameters.

An optimizer takes the derivatives of one or more minibatches (more is gradient accumulation), adds up those of all
processes, and makes one step of them:

    optimizer.before_minibatch(); optimizer.backward(loss * frames)        # once or more
    optimizer.step(learning_rate, frames, sequences)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

from kaldi_bridge.errors import KaldiError
from steps_pytorch.group import Group
from steps_pytorch.models.base import Model
from steps_pytorch.objectives.base import Objective
from steps_pytorch.registry import Registry
from steps_pytorch.trainable import average_entry


class Optimizer(Protocol):
    """Attributes:
    scales_with_jobs: whether parallel jobs, whose models are averaged, want a learning rate as many times as large:
        true where a step is linear in it and in the derivatives, as with stochastic gradient descent.
    """

    scales_with_jobs: bool

    def before_minibatch(self) -> None:
        """Before the model runs."""

    def backward(self, total: Tensor) -> None:
        """Computes derivatives of a loss, summed over its frames, and keeps them for the next step."""

    def step(self, rate: float, frames: float, sequences: int) -> bool:
        """Changes the parameters by what was kept; False where it was infinite or no number, and is dropped.

        ``frames``, ``sequences``: of the minibatches of this process since the last step.
        """

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...

    def average_states(self, states: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        """One state of those of several jobs."""


@dataclass
class Setting:
    """What an optimizer is made for.

    ``factors``: of the learning rates of the model's layers by name, beside those that the model has itself; 0: frozen.
    """

    model: Model
    objective: Objective
    group: Group
    clip_norm: float = 0.0
    half_precision: bool = False
    seed: int = 0
    num_jobs: int = 1
    factors: dict[str, float] = field(default_factory=dict)


OPTIMIZERS = Registry[Optimizer](
    "optimizer", "steps_pytorch.training.optimizers", ("gradient_descent", "natural_gradient")
)


def average_nested(name: str, values: Sequence[Any], weights: Sequence[float]) -> Any:
    """Dictionaries and lists whose tensors are averaged, at any depth; of what else there is, the first."""
    first = values[0]
    if not isinstance(first, dict | list):
        return average_entry(name, list(values), weights)
    keys = _keys(first)
    if any(_keys(value) != keys for value in values):
        raise KaldiError(f"states of different optimizers cannot be averaged: {name} has different entries")
    averaged = [average_nested(f"{name}.{key}", [value[key] for value in values], weights) for key in keys]
    return dict(zip(keys, averaged, strict=True)) if isinstance(first, dict) else averaged


def _keys(value: dict[Any, Any] | list[Any]) -> list[Any]:
    return list(value) if isinstance(value, dict) else list(range(len(value)))
