"""Normalization of each frame, and batch normalization (Kaldi: nnet3/nnet-normalize-component.cc)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from kaldi_bridge import log
from nnet3_compat.components.normalize import BatchNormComponent, NormalizeComponent
from nnet3_compat.modules.base import ComponentModule, in_blocks, join_blocks, module_for

SQUARED_NORM_FLOOR = 2.0**-66


@module_for(NormalizeComponent)
class Normalize(ComponentModule[NormalizeComponent]):
    """Each block of ``block_dim`` columns scaled to the RMS value r = ``target_rms``.

    y = x / sqrt(max(p, 2^-66)) with p = mean(x^2) / r^2; ``add_log_stddev`` appends log(r sqrt(max(p, 2^-66))).
    """

    def __init__(self, component: NormalizeComponent) -> None:
        super().__init__(component)
        self.blocks: int = component.input_dim // component.block_dim
        self.one_block: bool = component.block_dim == component.input_dim
        self.add_log_stddev: bool = component.add_log_stddev
        self.power_scale: float = 1.0 / (component.block_dim * component.target_rms**2)
        self.floor: float = SQUARED_NORM_FLOOR
        self.log_target: float = math.log(component.target_rms)

    def forward(self, x: Tensor) -> Tensor:
        if not self.one_block:
            x = in_blocks(x, self.blocks)
        power = torch.clamp((x * x).sum(-1, keepdim=True) * self.power_scale, min=self.floor)
        y = x * torch.rsqrt(power)
        if self.add_log_stddev:
            y = torch.cat([y, 0.5 * torch.log(power) + self.log_target], dim=-1)
        return y if self.one_block else join_blocks(y)


@module_for(BatchNormComponent)
class BatchNorm(ComponentModule[BatchNormComponent]):
    """y = r (x - mean) / sqrt(variance + epsilon) per column of blocks of ``block_dim`` columns, r = ``target_rms``.

    Training mode takes mean and variance of all rows of the call and, where ``store_stats`` is set, adds them to the
    statistics ``count``, ``stats_sum``, ``stats_sumsq`` [block_dim]; test mode takes those of the statistics. What its
    file says is in test mode stays there. Without statistics, test mode assumes mean 0 and variance 1, with a warning.
    """

    STATS = ("count", "stats_sum", "stats_sumsq")
    SEES_ALL_ROWS = True

    def __init__(self, component: BatchNormComponent) -> None:
        super().__init__(component)
        self.repeats: int = component.dim // component.block_dim
        self.block_dim: int = component.block_dim
        self.epsilon: float = component.epsilon
        self.target_rms: float = component.target_rms
        self.test_mode: bool = component.test_mode
        self.has_stats: bool = False
        self.store_stats: bool = True
        self.register_buffer("scale", torch.ones(component.dim), persistent=False)
        self.register_buffer("offset", torch.zeros(component.dim), persistent=False)
        self.derive()

    @torch.jit.unused
    def derive(self) -> None:
        """Make ``scale`` and ``offset`` of test mode from the statistics; train(), eval() and loading a state do it."""
        self.has_stats = bool(self.count > 0)
        if self.has_stats:
            mean = self.stats_sum / self.count
            variance = torch.clamp(self.stats_sumsq / self.count - mean * mean, min=0.0)
        else:
            mean, variance = torch.zeros_like(self.stats_sum), torch.ones_like(self.stats_sum)
        scale = self.target_rms * torch.rsqrt(variance + self.epsilon)
        self.scale.copy_(scale.repeat(self.repeats))
        self.offset.copy_((-mean * scale).repeat(self.repeats))

    @torch.jit.unused
    def train(self, mode: bool = True) -> BatchNorm:
        super().train(mode)
        self.derive()
        return self

    @torch.jit.unused
    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self.derive()

    def forward(self, x: Tensor) -> Tensor:
        if not torch.jit.is_scripting() and self.training and not self.test_mode:
            return self.normalize_batch(x)
        if not torch.jit.is_scripting() and not self.has_stats:
            log.warning("batch normalization without statistics: using mean 0 and variance 1 (untrained network?)")
            self.has_stats = True
        return torch.addcmul(self.offset, x, self.scale)

    def scale_and_offset(self) -> tuple[Tensor, Tensor]:
        return self.scale, self.offset

    @torch.jit.unused
    def normalize_batch(self, x: Tensor) -> Tensor:
        """Training mode; [T, N, D]."""
        rows = x.reshape(-1, self.block_dim)
        weight = x.new_full((self.block_dim,), self.target_rms)
        y, mean, inverse = torch.native_batch_norm(rows, weight, None, None, None, True, 0.0, self.epsilon)
        if self.store_stats:
            variance = inverse.detach().double() ** -2 - self.epsilon
            self.add_stats(mean.detach().double(), variance.clamp(min=0.0), rows.size(0))
        return y.view(x.shape)

    @torch.jit.unused
    def add_stats(self, mean: Tensor, variance: Tensor, rows: int) -> None:
        """Unless they are infinite or no numbers."""
        ok = torch.isfinite(mean).all() & torch.isfinite(variance).all()
        self.count += rows * ok
        self.stats_sum += torch.where(ok, rows * mean, 0.0)
        self.stats_sumsq += torch.where(ok, rows * (variance + mean * mean), 0.0)
