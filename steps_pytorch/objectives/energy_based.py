"""Maximum likelihood of unlabeled data under a model's energy, with samples for the part that cannot be summed.

    - grad log p(x) = grad E(x) - mean over samples x' of p of grad E(x')

The samples come from a replay buffer, a few steps of Langevin dynamics at a time (samplers/). Energies, of data and of
samples, are those of the model in eval mode: one function, whatever dropout and batch normalization do in training.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from nnet3_compat.chain.numerator import numerator
from steps_pytorch.data.batch import Batch
from steps_pytorch.models.base import Model
from steps_pytorch.objectives.base import Loss, Objective, Term, outputs_of
from steps_pytorch.objectives.energies import OutputEnergy, TargetEnergy
from steps_pytorch.objectives.target_sequences import TargetSequences
from steps_pytorch.samplers.options import ReplayOptions, SamplerOptions
from steps_pytorch.samplers.replay_buffer import Drawn, ReplayBuffer
from steps_pytorch.samplers.sampler import Sampled, check, sample


@dataclass
class EnergyOptions:
    """Of the energy-based part of an objective."""

    ebm_weight: float = option(1.0, "Weight of the energy-based loss of unlabeled data")
    ebm_warmup: int = option(0, "Its minibatches over which the weight grows from 0")
    ebm_decay: float = option(0.0, "The weight decays by exp(-this) with each minibatch after the warm-up")
    energy_l2: float = option(0.0, "Weight of the squared energies per frame of data and samples, to keep them bounded")
    targets: str = option(
        "", "Sample conditionally: given random pieces of these pdf sequences (rspecifier, one pdf per output frame)"
    )


@dataclass
class EnergyBasedOptions(EnergyOptions, SamplerOptions, ReplayOptions):
    """All that an EnergyBased objective needs."""


class EnergyBased(Objective):
    """Terms: ``ebm``, by how much the energy of samples is above that of data, per frame; ``log-density``, minus the
    energy of data per frame, but for a constant; ``steps``, of a minibatch's samples.

    With ``targets``, samples are drawn from p(x | pdfs) for pdfs that the buffer keeps with each sample.

    Attributes:
        buffer: the samples.
        minibatches: seen in training, for warm-up and decay.
        data_energy: per frame, of the last minibatch: how far samples are to go.
        target_energy: the same of the last labeled minibatch with its labels: how far conditional samples are to go.
    """

    minibatches: Tensor
    data_energy: Tensor
    target_energy: Tensor

    def __init__(
        self, energy: OutputEnergy, options: EnergyBasedOptions, targets: TargetSequences | None = None
    ) -> None:
        """Raises KaldiError for options that make no sense."""
        super().__init__()
        check(options)
        if not options.ebm_weight > 0:
            raise KaldiError(f"--ebm-weight={options.ebm_weight:g} must be positive")
        for name in ("ebm_warmup", "ebm_decay", "energy_l2"):
            if getattr(options, name) < 0:
                raise KaldiError(f"--{name.replace('_', '-')} must not be negative")
        self.options, self.energy, self.targets = options, energy, targets
        self.buffer = ReplayBuffer(options)
        self.register_buffer("minibatches", torch.zeros((), dtype=torch.int64))
        self.register_buffer("data_energy", torch.zeros(()))
        self.register_buffer("target_energy", torch.zeros(()))

    def forward(self, model: Model, batch: Batch) -> Loss:
        with evaluating(model):
            with model.watched():
                energies = self.energy(outputs_of(model, batch).output)
            total, frames = energies.detach().sum(), batch.num_frames
            terms = {"log-density": Term(-float(total), frames)}
            if not self.training:
                return Loss(energies.sum() / frames, terms)
            self.data_energy.copy_(total / frames)
            drawn = self.buffer.draw(batch.features, batch.num_outputs if self.targets else 0)
            sampled = self._sample(model, drawn, batch.ivectors)
            with model.watched():
                made = model(sampled.x, batch.ivectors).output
                sample_energies = self.energy(made)
        self.buffer.store(drawn, sampled)
        of_data, of_samples = energies / batch.num_outputs, sample_energies / made.shape[1]
        contrast = of_data.mean() - of_samples.mean()
        loss = self.weight() * contrast
        if self.options.energy_l2:
            loss = loss + self.options.energy_l2 * (of_data.square().mean() + of_samples.square().mean())
        self.minibatches += 1
        terms = {"ebm": Term(-float(contrast.detach()) * frames, frames), **terms}
        return Loss(loss, {**terms, "steps": Term(sampled.step, 1)}, bool(torch.isfinite(loss)))

    def weight(self) -> float:
        """After so many minibatches."""
        options, n = self.options, int(self.minibatches)
        if n < options.ebm_warmup:
            return options.ebm_weight * n / options.ebm_warmup
        return options.ebm_weight * math.exp(-options.ebm_decay * (n - options.ebm_warmup))

    def observe(self, output: Tensor, batch: Batch) -> None:
        """Of labeled data, the outputs: the energy that conditional samples are to have."""
        if not self.targets:
            return
        output = output.detach().float()
        if batch.supervision is not None:
            log_prob, _ = numerator([batch.supervision], output.transpose(0, 1).contiguous())
            self.target_energy.copy_(-log_prob / batch.num_frames)
        elif batch.pdfs is not None:
            energies = TargetEnergy(batch.pdfs.clamp(min=0)).of_frames(output)
            self.target_energy.copy_(energies[batch.pdfs >= 0].mean())

    def _sample(self, model: Model, drawn: Drawn, ivectors: Tensor | None) -> Sampled:
        """Moves drawn samples on."""
        goal, energy = float(self.data_energy), self.energy
        num_outputs = model.num_outputs(drawn.x.shape[1])
        if self.targets:
            new = drawn.condition[:, 0] < 0
            fresh = self.targets.draw(len(drawn.x), num_outputs).to(drawn.condition)
            drawn.condition = torch.where(new.unsqueeze(1), fresh, drawn.condition)
            goal, energy = float(self.target_energy), TargetEnergy(drawn.condition)
        with frozen(model):
            return sample(
                self.options,
                lambda x: energy(model(x, ivectors).output),
                drawn.x,
                drawn.num_steps,
                goal * num_outputs,
            )


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """The model in eval mode, and back."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode  # train() would renew statistics that gradients still need


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Without gradients of the parameters, to save their memory and time."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
