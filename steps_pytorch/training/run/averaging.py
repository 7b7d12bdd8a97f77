"""Averages of models: over the updates of a run, and over the models of its last iterations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nnet3_compat.modules.normalize import BatchNorm
from steps_pytorch.data.batch import Batch
from steps_pytorch.models.base import Model


class MovingAverage:
    """The exponential moving average of a model's parameters and statistics.

    average <- d average + (1 - d) model after each update, d = min(decay, (1 + n) / (10 + n)) in the n-th one, so that
    the random start is soon forgotten.
    """

    def __init__(self, model: Model, decay: float) -> None:
        self._model, self._decay, self._updates = model, decay, 0
        self._average = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self) -> None:
        self._updates += 1
        decay = min(self._decay, (1.0 + self._updates) / (10.0 + self._updates))
        for name, value in self._model.state_dict().items():
            if value.is_floating_point():
                self._average[name].lerp_(value, 1.0 - decay)
            else:
                self._average[name].copy_(value)

    def model_state(self) -> dict[str, Tensor]:
        """The average, as a state of the model."""
        return self._average

    def state_dict(self) -> dict[str, Any]:
        return {"average": self._average, "updates": self._updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._updates = state["updates"]
        for name, value in state["average"].items():
            self._average[name].copy_(value)


def average_models(model: Model, states: Sequence[dict[str, Any]]) -> None:
    """The model becomes the average of states of it. Raises KaldiError where they are of another."""
    model.load_state_dict(model.average_states(states, [1.0 / len(states)] * len(states)))


@torch.no_grad()
def recompute_statistics(model: Model, batches: Iterable[Batch]) -> None:
    """Statistics of batch norm, for parameters that they were not gathered with: those of these batches."""
    normalizing = [m for m in model.modules() if isinstance(m, BatchNorm | nn.modules.batchnorm._BatchNorm)]
    if not normalizing:
        return
    momenta = {}
    for module in normalizing:
        if isinstance(module, BatchNorm):
            for _, statistics in module.stat_tensors():
                statistics.zero_()
        else:
            module.reset_running_stats()
            momenta[module], module.momentum = module.momentum, None  # the mean over all batches
    model.eval()
    model.training = True  # its second branch too
    for module in normalizing:
        module.train()
    for batch in batches:
        model(batch.features, batch.ivectors)
    for module, momentum in momenta.items():
        module.momentum = momentum
