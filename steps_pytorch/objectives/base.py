"""What the training loop knows of an objective."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from steps_pytorch.data.batch import Batch
from steps_pytorch.models.base import Model, ModelOutput
from steps_pytorch.trainable import Trainable


@dataclass
class Term:
    """What a person follows: a sum over frames, of which ``total / weight`` is shown."""

    total: float
    weight: float


@dataclass
class Loss:
    """Attributes:
    loss: to be minimized, per output frame; gradients flow to the model.
    terms: named parts, e.g. ``{"chain": Term(objf, frames), "xent": ...}``, all the higher the better; the first is the
        one that is validated, and its weight says how many frames the loss is the mean of.
    ok: False where infinities or NaNs made the minibatch useless: the loop counts it and takes no step.
    """

    loss: Tensor
    terms: dict[str, Term] = field(default_factory=dict)
    ok: bool = True

    @property
    def weight(self) -> float:
        return next(iter(self.terms.values())).weight


def outputs_of(model: Model, batch: Batch) -> ModelOutput:
    """What a model makes of a batch: ``num_outputs`` frames, also where features have more context than it needs."""
    made = model(batch.features, batch.ivectors)
    first, last = batch.first_output, batch.first_output + batch.num_outputs
    if made.output.shape[1] == batch.num_outputs:
        return made
    return ModelOutput(made.output[:, first:last], None if made.xent is None else made.xent[:, first:last])


class Objective(Trainable):
    """Computes the loss of a batch. Its own state (priors, replay buffer, counts) are its buffers.

    Attributes:
        wants_xent: whether models are to have a second branch for it (ModelOutput.xent).
    """

    wants_xent: bool = False

    def forward(self, model: Model, batch: Batch) -> Loss:
        """Runs the model on the batch.

        Raises:
            KaldiError: the batch has not the targets that this objective needs.
        """
        return self.of_output(outputs_of(model, batch), batch)

    def of_output(self, made: ModelOutput, batch: Batch) -> Loss:
        """The loss of what a model made of the batch; of objectives that need no more than that."""
        raise NotImplementedError

    def after_update(self, model: Model) -> None:
        """Called after each update of the model's parameters."""

    def estimate_priors(self, model: Model, batches: Iterable[Batch]) -> None:
        """Called with the trained model, and batches of training data, where there are priors to be made of them."""

    def priors(self) -> np.ndarray | None:
        """[pdfs], what decoding divides by; None where the model's outputs are likelihoods."""
        return None
