"""PyTorch's optimizers in the place of nnet3's own rule: ``--optimizer``."""

from __future__ import annotations

import io
from pathlib import Path

import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_output
from nnet3_compat.export.tensor_files import load_tensors
from nnet3_compat.training.updates import Update

OPTIMIZERS = ("natural-gradient", "sgd", "adam", "adamw")


class TorchOptimizer:
    """Turns gradients into changes of the parameters; limits and constraints on them are applied afterwards.

    ``sgd`` changes by learning rate times gradient, as nnet3 without natural gradient; ``adam`` and ``adamw`` have
    PyTorch's default settings. The components' learning rates count, and their l2-regularize values: within the
    gradient, or for ``adamw`` apart from it.
    """

    def __init__(self, name: str, updates: dict[str, list[Update]]) -> None:
        self.l2_apart = name == "adamw"
        groups = [
            {"params": update.parameters, "lr": update.module.component.learning_rate}
            for parts in updates.values()
            for update in parts
        ]
        if name == "sgd":
            self._optimizer: torch.optim.Optimizer = torch.optim.SGD(groups, maximize=True)
        elif name == "adam":
            self._optimizer = torch.optim.Adam(groups, maximize=True)
        else:
            self._optimizer = torch.optim.AdamW(groups, weight_decay=0.0, maximize=True)

    def changes(self, gradients: dict[Tensor, Tensor]) -> dict[Tensor, Tensor]:
        """What the optimizer would add to each parameter; the parameters stay as they are.

        A minibatch with infinities or NaNs changes nothing, not even the optimizer's state.
        """
        if not all(bool(torch.isfinite(gradient).all()) for gradient in gradients.values()):
            return {parameter: torch.full_like(parameter, torch.nan) for parameter in gradients}
        before = {parameter: parameter.detach().clone() for parameter in gradients}
        for parameter, gradient in gradients.items():
            parameter.grad = gradient
        self._optimizer.step()
        made = {}
        for parameter, old in before.items():
            parameter.grad = None
            made[parameter] = parameter.detach() - old
            parameter.copy_(old)
        return made

    def load(self, path: str) -> None:
        """Takes over the state of a file where there is one. Raises KaldiError where it is of something else."""
        if not Path(path).exists():
            return
        with open(path, "rb") as file:
            state = load_tensors(file, path)
        try:
            rates = [group["lr"] for group in self._optimizer.param_groups]
            self._optimizer.load_state_dict(state)
            for group, rate in zip(self._optimizer.param_groups, rates, strict=True):
                group["lr"] = rate
        except Exception as error:
            raise KaldiError(f"{path} is not the state of this optimizer for this network: {error}") from error

    def save(self, path: str) -> None:
        """Writes the state, whole or not at all."""
        data = io.BytesIO()
        torch.save(self._optimizer.state_dict(), data)
        with open_output(path) as stream:
            stream.write(data.getvalue())
