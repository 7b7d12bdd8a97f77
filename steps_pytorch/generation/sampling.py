"""Samples from a model, from its replay buffer, and from noisy features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from steps_pytorch.generation.trained import TrainedDensity
from steps_pytorch.objectives.energies import OutputEnergy, TargetEnergy
from steps_pytorch.samplers.sampler import states

SCORED_AT_ONCE = 64


@dataclass
class History:
    """How samples came about.

    Attributes:
        steps: at which there is a snapshot: 0, powers of two, the last one.
        snapshots: float32 [N, frames, dim] at each of them.
        energies: [steps + 1, N], per output frame.
    """

    steps: list[int]
    snapshots: list[np.ndarray]
    energies: np.ndarray

    @property
    def samples(self) -> np.ndarray:
        """[N, frames, dim], the last ones."""
        return self.snapshots[-1]


def generate(
    density: TrainedDensity, x: Tensor, energy: OutputEnergy | None = None, goal: float | None = None
) -> History:
    """Samples from features [N, frames, dim] to start with; ``energy``: other than the density's."""
    num_outputs = density.model.num_outputs(x.shape[1])
    steps: list[int] = []
    snapshots: list[np.ndarray] = []
    energies: list[np.ndarray] = []
    for state in states(density.options, lambda x: density.energy_of(x, energy), x, goal=goal):
        energies.append(state.energies.cpu().numpy() / num_outputs)
        if steps and steps[-1] & (steps[-1] - 1):  # neither 0 nor a power of two: was kept as the last one so far
            steps.pop()
            snapshots.pop()
        steps.append(state.step)
        snapshots.append(state.x.cpu().numpy().astype(np.float32))
    return History(steps, snapshots, np.stack(energies))


def from_model(
    density: TrainedDensity,
    count: int,
    num_outputs: int,
    init_value: float = 1.0,
    pdfs: Sequence[int] | None = None,
) -> History:
    """``count`` samples of so many output frames, from noise; given ``pdfs``, one for each of them, where there are."""
    model = density.model
    device = next(model.parameters()).device
    x = torch.empty(count, model.frames_in(num_outputs), model.feature_dim, device=device)
    x.uniform_(-init_value, init_value)
    if pdfs is None:
        return generate(density, x, goal=density.goal(num_outputs))
    return generate(density, x, _target(pdfs, count, device))


def from_buffer(
    density: TrainedDensity, count: int, pdfs: Sequence[int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Samples of the replay buffer that have been moved, ``count`` of them at most.

    Returns samples [n, frames, dim] and scores [n]: with ``pdfs``, one for each output frame, those that have them
    best, best first, and their mean outputs for them; without, some at random, with minus their energies per frame.

    Raises:
        KaldiError: the model has no buffer, or its samples have another number of frames.
    """
    buffer = density.buffer
    moved = buffer.num_steps.nonzero().flatten()
    num_outputs = density.model.num_outputs(buffer.samples.shape[1])
    if pdfs is None:
        moved = moved[torch.randperm(len(moved))[:count]]
    elif len(pdfs) != num_outputs:
        raise KaldiError(f"{len(pdfs)} pdfs, but the samples of the buffer have {num_outputs} output frames")
    device = next(density.model.parameters()).device
    scores = []
    for slots in moved.split(SCORED_AT_ONCE):
        energy = _target(pdfs, len(slots), device) if pdfs is not None else None
        scores.append(-density.energy_of(buffer.samples[slots].to(device), energy).cpu() / num_outputs)
    order = torch.cat(scores).argsort(descending=True)[:count]
    return buffer.samples[moved[order]].numpy(), torch.cat(scores)[order].numpy()


def restore(density: TrainedDensity, features: np.ndarray) -> History:
    """Features [frames, dim] of an utterance, normalized as the model wants them, moved towards those it knows.

    The edges are repeated as context, which is left out of the result again.
    """
    model = density.model
    factor = model.frame_subsampling_factor
    num_outputs = -(-len(features) // factor)
    places = np.arange(-model.left_context, (num_outputs - 1) * factor + 1 + model.right_context)
    padded = features[np.clip(places, 0, len(features) - 1)]
    x = torch.from_numpy(padded).unsqueeze(0).to(next(model.parameters()).device)
    history = generate(density, x, goal=density.goal(num_outputs))
    first = model.left_context
    missing = max(first + len(features) - len(places), 0)
    history.snapshots = [
        np.pad(s[:, first : first + len(features)], ((0, 0), (0, missing), (0, 0)), "edge") for s in history.snapshots
    ]
    return history


def _target(pdfs: Sequence[int], count: int, device: torch.device) -> OutputEnergy:
    return TargetEnergy(torch.tensor(pdfs, device=device).expand(count, -1))
