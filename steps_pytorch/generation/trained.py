"""A trained model as a density of features."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.options import UsageError, parse, specs_of
from steps_pytorch.group import Group
from steps_pytorch.models.base import Model
from steps_pytorch.models.registry import build_model
from steps_pytorch.objectives.base import Objective
from steps_pytorch.objectives.cross_entropy import CrossEntropy
from steps_pytorch.objectives.energies import OutputEnergy, SequenceEnergy, frame_energy
from steps_pytorch.objectives.energy_based import EnergyBased
from steps_pytorch.objectives.lfmmi import Lfmmi
from steps_pytorch.objectives.registry import build_objective
from steps_pytorch.objectives.semi_supervised import SemiSupervised
from steps_pytorch.registry import Dimensions
from steps_pytorch.samplers.options import SamplerOptions
from steps_pytorch.samplers.replay_buffer import ReplayBuffer
from steps_pytorch.samplers.sampler import check
from steps_pytorch.training.run.assembly import objective_words_of
from steps_pytorch.training.run.checkpoints import Checkpoints, load_state
from steps_pytorch.training.run.options import Run, words


@dataclass
class TrainedDensity:
    """Attributes:
    model: in eval mode, its parameters frozen.
    energy: of its outputs.
    energy_based: the part of the objective that it was trained with, and that has the buffer; None for others.
    options: how samples are drawn, as in training where nothing else was said.
    """

    run: Run
    model: Model
    energy: OutputEnergy
    energy_based: EnergyBased | None
    options: SamplerOptions

    @classmethod
    def load(cls, folder: Path, iteration: int = 0, sampler_words: Sequence[str] = ()) -> TrainedDensity:
        """Of a run's directory.

        Args:
            iteration: whose model to take, 0: the last checkpoint's. The buffer is always that of the checkpoint.
            sampler_words: options of the sampler other than in training, ``--name=value`` each.

        Raises:
            KaldiError: there is no such run or checkpoint, or its objective has no density.
        """
        run = Run.load(folder)
        checkpoints = Checkpoints(folder, Group(), run.options.average_last)
        newest = checkpoints.newest()
        if newest is None:
            raise KaldiError(f"there is no checkpoint in {folder}: nothing was trained yet")
        state = checkpoints.load(newest)
        objective_words, _ = objective_words_of(run)
        dimensions = Dimensions(**state["dimensions"])
        objective = build_objective(run.options.objective, objective_words, dimensions)
        dimensions = dataclasses.replace(dimensions, xent=objective.wants_xent)
        model = build_model(run.options.model, words(run.options.model_opts, "model-opts"), dimensions)
        objective.load_state_dict(state["objective"])
        model.load_state_dict(load_state(folder / f"{iteration}.pt") if iteration else state["model"])
        model.eval().requires_grad_(False)
        energy, energy_based = _density(objective, run.options.objective)
        options = SamplerOptions() if energy_based is None else energy_based.options
        return cls(run, model, energy, energy_based, sampler_options(options, sampler_words))

    def energy_of(self, features: Tensor, energy: OutputEnergy | None = None) -> Tensor:
        """[N, frames, dim] -> [N]; an i-vector, where the model wants one, is that of an average speaker, zero."""
        size = self.model.ivector_dim
        ivectors = features.new_zeros(len(features), size) if size else None
        return (energy or self.energy)(self.model(features, ivectors).output)

    def goal(self, num_outputs: int) -> float | None:
        """The energy that so many frames of data have; None where it is not known."""
        part = self.energy_based
        return float(part.data_energy) * num_outputs if part is not None and int(part.minibatches) else None

    @property
    def buffer(self) -> ReplayBuffer:
        """Raises KaldiError where there is none, or none of its samples was moved."""
        if self.energy_based is None or not self.energy_based.buffer.num_steps.any():
            raise KaldiError("the model has no replay buffer, or none of its samples was used: sample from the model")
        return self.energy_based.buffer

    def to(self, device: torch.device) -> TrainedDensity:
        self.model.to(device)
        return self


def _density(objective: Objective, name: str) -> tuple[OutputEnergy, EnergyBased | None]:
    if isinstance(objective, SemiSupervised):
        return objective.energy_based.energy, objective.energy_based
    if isinstance(objective, Lfmmi):
        return SequenceEnergy(objective.graph, objective.chain.options.leaky_hmm_coefficient), None
    if isinstance(objective, CrossEntropy):
        return frame_energy, None
    raise KaldiError(f"a model trained with the objective {name} is no density of features")


def sampler_options(base: SamplerOptions, given: Sequence[str]) -> SamplerOptions:
    """``base`` with what ``given`` changes, ``--name=value`` each. Raises KaldiError for what is no such option."""
    specs = specs_of(SamplerOptions)
    usual = [f"--{spec.name}={getattr(base, spec.attribute)}" for spec in specs]
    try:
        values, positional = parse(specs, [*usual, *given])
        if positional:
            raise UsageError(f"{positional[0]!r} is no option")
    except UsageError as error:
        raise KaldiError(f"sampler: {error}; its options are {' '.join('--' + s.name for s in specs)}") from None
    made = SamplerOptions(**values)
    check(made)
    return made
