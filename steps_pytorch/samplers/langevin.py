"""Langevin dynamics: samples from p(x) ~ exp(-E(x)) by steps down the energy with noise.

    x <- x - r s d + sqrt(r) sigma n,    n ~ N(0, I)

With d = grad E(x), small steps and sigma = sqrt(2 s), x becomes distributed as p (M. Welling, Y. W. Teh, "Bayesian
learning via stochastic gradient Langevin dynamics", ICML 2011). Less noise is a lower temperature: exp(-E / T), with
T = sigma^2 / (2 s). Rates r, of a sample or of an element of it, make steps shorter or longer without changing T:
here 1 / k^c for a sample that has taken k steps, so that steps become finer as a sample ages.

``AcceleratedLangevin`` is the exception. It takes samples to a given energy, that of data, as fast as it can: useful
for training an energy-based model, but no sampler of its density.
"""

from __future__ import annotations

import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from steps_pytorch.samplers.options import SamplerOptions


def per_sample(values: Tensor, like: Tensor) -> Tensor:
    """[N] -> [N, 1, ...] with as many axes as ``like``."""
    return values.view(-1, *[1] * (like.dim() - 1))


def clipped(x: Tensor, longest: float) -> Tensor:
    """Each sample scaled down to the given norm; as it is where that is 0."""
    if not longest:
        return x
    norms = x.flatten(1).norm(dim=1)
    return x * per_sample((longest / norms.clamp(min=longest)), x)


class Langevin:
    """Stochastic gradient Langevin dynamics."""

    def __init__(self, options: SamplerOptions) -> None:
        self.options = options

    def step(self, x: Tensor, energies: Tensor, gradient: Tensor, num_steps: Tensor, goal: float | None) -> Tensor:
        """The samples after one step.

        Args:
            x, gradient: [N, ...], samples and the gradients of their energies.
            energies: [N].
            num_steps: [N], steps that each sample will have taken, this one included.
            goal: the energy that a sample of data has, where it is known.
        """
        drift, scale = self.direction(energies, gradient, goal)
        rate = per_sample(num_steps.to(x.dtype) ** -self.options.replay_correction, x) * scale
        noise = self.options.noise * rate.sqrt() * self.fluctuation(x)
        return x - rate * self.options.step_size * drift + noise

    def direction(self, energies: Tensor, gradient: Tensor, goal: float | None) -> tuple[Tensor, Tensor | float]:
        """d, and the part of r that depends on the gradients."""
        return clipped(gradient, self.options.clip), 1.0

    def fluctuation(self, like: Tensor) -> Tensor:
        """n."""
        return torch.randn_like(like)


class AdamLangevin(Langevin):
    """With Adam's averages of gradients: momentum, and a rate for each element.

    Momentum averages the noise with the gradients (T. Chen et al., "Stochastic gradient Hamiltonian Monte Carlo", ICML
    2014) and noise has the rates of the elements (C. Li et al., "Preconditioned stochastic gradient Langevin dynamics
    for deep neural networks", AAAI 2016): without the two, samples would not have the scale that E says. So that rates
    stay small where a gradient happens to be zero, a share of the gradients of the whole sample is added to each.
    """

    BETA1, BETA2 = 0.9, 0.999
    SHARE = 0.1

    def __init__(self, options: SamplerOptions) -> None:
        super().__init__(options)
        self.count = 0
        self.mean, self.square, self.noise = torch.zeros(()), torch.zeros(()), torch.zeros(())

    def direction(self, energies: Tensor, gradient: Tensor, goal: float | None) -> tuple[Tensor, Tensor | float]:
        gradient = clipped(gradient, self.options.clip)
        self.count += 1
        self.mean = self.BETA1 * self.mean.to(gradient) + (1 - self.BETA1) * gradient
        self.square = self.BETA2 * self.square.to(gradient) + (1 - self.BETA2) * gradient.square()
        mean = self.mean / (1 - self.BETA1**self.count)
        square = self.square / (1 - self.BETA2**self.count)
        of_sample = per_sample(square.flatten(1).mean(1), square)
        return mean, 1.0 / (square.sqrt() + self.SHARE * of_sample.sqrt() + self.options.epsilon)

    def fluctuation(self, like: Tensor) -> Tensor:
        self.noise = self.BETA1 * self.noise.to(like) + (1 - self.BETA1) * torch.randn_like(like)
        return self.noise


class AcceleratedLangevin(Langevin):
    """Steps that would reach the goal if the energy were linear: gap / |gradient|^2 (B. Polyak, 1969).

    Below the goal the step is epsilon / |gradient|^2. Noise does not depend on the gap.
    """

    def direction(self, energies: Tensor, gradient: Tensor, goal: float | None) -> tuple[Tensor, Tensor | float]:
        if goal is None:
            raise KaldiError("--sampler=accelerated steps towards a given energy: there is none")
        epsilon = self.options.epsilon
        gap = energies - (goal - self.options.overshoot * abs(goal))
        length = torch.where(gap > 0, gap, torch.full_like(gap, epsilon))
        square = gradient.flatten(1).square().sum(1).clamp(min=epsilon)
        return clipped(gradient * per_sample(length / square, gradient), self.options.clip), 1.0


DYNAMICS = {"sgld": Langevin, "adam": AdamLangevin, "accelerated": AcceleratedLangevin}


def make_dynamics(options: SamplerOptions) -> Langevin:
    """For one run of the sampler. Raises KaldiError for a name that is none of DYNAMICS."""
    if options.sampler not in DYNAMICS:
        raise KaldiError(f"--sampler={options.sampler} must be one of {', '.join(DYNAMICS)}")
    return DYNAMICS[options.sampler](options)
