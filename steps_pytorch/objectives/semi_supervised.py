"""A supervised objective of labeled data, an energy-based one of unlabeled data.

M. Wiesner et al. train LF-MMI acoustic models so; with cross-entropy it is the JEM of W. Grathwohl et al. (ICLR 2020).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from steps_pytorch.data.batch import Batch
from steps_pytorch.models.base import Model
from steps_pytorch.objectives.base import Loss, Objective, outputs_of
from steps_pytorch.objectives.energies import OutputEnergy
from steps_pytorch.objectives.energy_based import EnergyBased, EnergyBasedOptions
from steps_pytorch.objectives.target_sequences import TargetSequences
from steps_pytorch.registry import Dimensions


@dataclass
class SemiSupervisedOptions(EnergyBasedOptions):
    """Options of objectives with a supervised and an energy-based part."""

    supervised_weight: float = option(1.0, "Weight of the supervised loss")
    joint: bool = option(False, "Labeled data have the energy-based loss too: their joint density with the labels")


def energy_based_part(energy: OutputEnergy, options: EnergyBasedOptions, dimensions: Dimensions) -> EnergyBased:
    """The loss of unlabeled data by the energy of a model's output."""
    targets = TargetSequences(options.targets, dimensions.num_pdfs) if options.targets else None
    return EnergyBased(energy, options, targets)


class SemiSupervised(Objective):
    """Terms of both. Validation is that of the supervised objective on labeled data, of the energy on others."""

    def __init__(self, supervised: Objective, energy_based: EnergyBased, options: SemiSupervisedOptions) -> None:
        super().__init__()
        if options.supervised_weight < 0:
            raise KaldiError("--supervised-weight must not be negative")
        self.supervised, self.energy_based, self.options = supervised, energy_based, options
        self.wants_xent = supervised.wants_xent

    def forward(self, model: Model, batch: Batch) -> Loss:
        if not batch.is_labeled:
            return self.energy_based(model, batch)
        joint = self.options.joint and self.training
        # First the part that changes the model's mode: gradients of the other may need what that changes.
        density = self.energy_based(model, batch) if joint else None
        made = outputs_of(model, batch)
        self.energy_based.observe(made.output, batch)
        labels = self.supervised.of_output(made, batch)
        loss = self.options.supervised_weight * labels.loss
        if density is None:
            return Loss(loss, labels.terms, labels.ok)
        return Loss(loss + density.loss, labels.terms | density.terms, labels.ok and density.ok)

    def after_update(self, model: Model) -> None:
        self.supervised.after_update(model)

    def estimate_priors(self, model: Model, batches: Iterable[Batch]) -> None:
        self.supervised.estimate_priors(model, batches)

    def priors(self) -> np.ndarray | None:
        return self.supervised.priors()
