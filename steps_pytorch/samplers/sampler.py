"""Running the dynamics: from some samples to samples of lower energy."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from steps_pytorch.samplers.langevin import make_dynamics
from steps_pytorch.samplers.options import SamplerOptions

Energy = Callable[[Tensor], Tensor]  # [N, ...] -> [N], of samples that do not depend on each other


@dataclass
class Sampled:
    """Attributes:
    x: [N, ...], without gradients.
    energies: [N], of x.
    num_steps: int64 [N], that each sample has taken since it was made.
    step: how many of them in this run.
    """

    x: Tensor
    energies: Tensor
    num_steps: Tensor
    step: int


def check(options: SamplerOptions) -> None:
    """Raises KaldiError for options that make no sense."""
    make_dynamics(options)
    if not 0 <= options.min_steps <= options.max_steps or options.max_steps < 1:
        raise KaldiError(f"--min-steps={options.min_steps} must be between 0 and --max-steps={options.max_steps} > 0")
    for name in ("step_size", "noise", "replay_correction", "sample_l2", "clip", "overshoot", "threshold"):
        if getattr(options, name) < 0:
            raise KaldiError(f"--{name.replace('_', '-')} must not be negative")
    if not options.epsilon > 0:
        raise KaldiError("--epsilon must be positive")


def states(
    options: SamplerOptions, energy: Energy, x: Tensor, num_steps: Tensor | None = None, goal: float | None = None
) -> Iterator[Sampled]:
    """The samples before the first step and after each.

    Args:
        x: [N, ...], where to start.
        num_steps: [N], steps that they have taken before; none by default.
        goal: energy of a sample of data. The run ends once the samples' mean energy is no more than goal + threshold *
            |goal|, after min_steps at the earliest and max_steps at the latest; without a goal after max_steps.
    """
    dynamics = make_dynamics(options)
    x = x.detach()
    taken = torch.zeros(len(x), dtype=torch.int64, device=x.device) if num_steps is None else num_steps.clone()
    for step in range(options.max_steps + 1):
        last = step == options.max_steps
        with torch.set_grad_enabled(not last):
            inputs = x.requires_grad_(not last)
            energies = energy(inputs)
        x, found = inputs.detach(), energies.detach()
        yield Sampled(x, found, taken, step)
        if last or (step >= options.min_steps and _reached(found, goal, options.threshold)):
            return
        (gradient,) = torch.autograd.grad(energies.sum(), inputs)
        if options.sample_l2:
            gradient = gradient + options.sample_l2 * x
            found = found + 0.5 * options.sample_l2 * x.flatten(1).square().sum(1)
        taken = taken + 1
        x = dynamics.step(x, found, gradient, taken, goal)


def sample(
    options: SamplerOptions, energy: Energy, x: Tensor, num_steps: Tensor | None = None, goal: float | None = None
) -> Sampled:
    """The last of ``states``."""
    return deque(states(options, energy, x, num_steps, goal), maxlen=1)[0]


def _reached(energies: Tensor, goal: float | None, threshold: float) -> bool:
    return goal is not None and float(energies.mean()) <= goal + threshold * abs(goal)
