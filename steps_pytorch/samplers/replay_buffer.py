"""A replay buffer: samples that are moved on a few at a time, minibatch after minibatch.

Chains that run on from where they stopped (T. Tieleman, "Training restricted Boltzmann machines using approximations
to the likelihood gradient", ICML 2008) with a share of new ones (Y. Du, I. Mordatch, "Implicit generation and modeling
with energy-based models", NeurIPS 2019).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from steps_pytorch.samplers.langevin import per_sample
from steps_pytorch.samplers.options import ReplayOptions
from steps_pytorch.samplers.sampler import Sampled
from steps_pytorch.trainable import Trainable

STARTS = ("noise", "data", "mixture")


@dataclass
class Drawn:
    """Attributes:
    slots: int64 [N], where the samples have their places.
    x: [N, frames, dim].
    num_steps: int64 [N], 0 for the new ones.
    condition: int64 [N, ...], what each sample is conditioned on; -1 for the new ones.
    """

    slots: Tensor
    x: Tensor
    num_steps: Tensor
    condition: Tensor


class ReplayBuffer(Trainable):
    """Has its size from the start, and the shape of samples from the first data that it is drawn for.

    Attributes:
        samples: [size, frames, dim].
        num_steps: int64 [size].
        condition: int64 [size, condition_size], with -1 where there is none yet.
        draws: how often it was drawn from.
    """

    samples: Tensor
    num_steps: Tensor
    condition: Tensor
    draws: Tensor

    def __init__(self, options: ReplayOptions) -> None:
        """Raises KaldiError for options that make no sense."""
        super().__init__()
        if options.init not in STARTS:
            raise KaldiError(f"--init={options.init} must be one of {', '.join(STARTS)}")
        if not 0 <= options.reinit_probability <= 1 or options.buffer_size < 1:
            raise KaldiError("--reinit-probability must be between 0 and 1, --buffer-size positive")
        self.options = options
        self.register_buffer("samples", torch.zeros(0))
        self.register_buffer("num_steps", torch.zeros(options.buffer_size, dtype=torch.int64))
        self.register_buffer("condition", torch.zeros(options.buffer_size, 0, dtype=torch.int64))
        self.register_buffer("draws", torch.zeros((), dtype=torch.int64))

    def draw(self, data: Tensor, condition_size: int = 0) -> Drawn:
        """As many samples as there are chunks of data [N, T, dim], some of them new.

        T and the size of a condition count the first time.

        Raises KaldiError where the buffer is too small.
        """
        size = self.options.buffer_size
        if len(data) > size:
            raise KaldiError(f"a minibatch of {len(data)} sequences needs --buffer-size={len(data)} at least")
        if not self.samples.numel():
            self.samples = self._noise(torch.empty(size, *data.shape[1:], device=data.device, dtype=data.dtype))
            self.condition = self.condition.new_full((size, condition_size), -1)
        slots = torch.randperm(size, device=data.device)[: len(data)]
        x = self.samples[slots]
        new = torch.rand(len(data), device=data.device) < self.options.reinit_probability
        x = torch.where(per_sample(new, x), self._start(x, data), x)
        num_steps = self.num_steps[slots].masked_fill(new, 0)
        condition = self.condition[slots].masked_fill(new.unsqueeze(1), -1)
        self.draws += 1
        return Drawn(slots, x, num_steps, condition)

    def store(self, drawn: Drawn, sampled: Sampled) -> None:
        """Puts samples back to their places; those with infinities or NaNs are lost."""
        good = torch.isfinite(sampled.x).flatten(1).all(1)
        slots = drawn.slots[good]
        self.samples[slots] = sampled.x[good]
        self.num_steps[slots] = sampled.num_steps[good]
        self.condition[slots] = drawn.condition[good]

    def _noise(self, like: Tensor) -> Tensor:
        return torch.empty_like(like).uniform_(-self.options.init_value, self.options.init_value)

    def _start(self, like: Tensor, data: Tensor) -> Tensor:
        """Samples to start from."""
        noise = self._noise(like)
        if self.options.init == "noise":
            return noise
        frames = torch.arange(like.shape[1], device=data.device).clamp(max=data.shape[1] - 1)
        data = data[:, frames]
        if self.options.init == "data":
            return data
        rate = self.options.init_mixture_rate
        most = 1.0 - math.exp(-rate * int(self.draws)) if rate else 1.0
        weight = per_sample(most * torch.rand(len(data), device=data.device, dtype=data.dtype), data)
        return (1.0 - weight) * noise + weight * data

    def average_states(self, states: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        """A random share of each: every place is that of one of them, which is drawn with its weight."""
        used = [(s, w) for s, w in zip(states, weights, strict=True) if s["samples"].numel()]
        if not used:
            return states[0]
        shares = torch.tensor([w for _, w in used], dtype=torch.float64)
        owners = torch.multinomial(shares, self.options.buffer_size, replacement=True)
        made = {name: value.clone() for name, value in used[0][0].items()}
        for number, (state, _) in enumerate(used):
            places = owners == number
            for name in ("samples", "num_steps", "condition"):
                if state[name].shape != made[name].shape:
                    raise KaldiError(f"replay buffers of different shapes cannot be averaged: {name}")
                made[name][places] = state[name][places]
        return made

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Takes on the shapes in a saved state first."""
        for name in ("samples", "condition"):
            saved = state.get(prefix + name)
            if isinstance(saved, Tensor):
                setattr(self, name, torch.empty_like(saved, device=self.samples.device))
        super()._load_from_state_dict(state, prefix, *rest)
