"""Mean and standard deviation over time (Kaldi: nnet3/nnet-general-component.cc)."""

from __future__ import annotations

from typing import Any, List  # noqa: UP035  (TorchScript)

import torch
from torch import Tensor

from nnet3_compat.components.statistics import StatisticsExtractionComponent, StatisticsPoolingComponent
from nnet3_compat.modules.base import ComponentModule, module_for
from nnet3_compat.modules.leaves import add_rows, leaf_size, nothing_like, read_leaf

# ruff: noqa: UP006


def total(tensors: List[Tensor]) -> Tensor:
    """Their sum."""
    out = tensors[0]
    for t in tensors[1:]:
        out = out + t
    return out


@module_for(StatisticsExtractionComponent)
class StatisticsExtraction(ComponentModule[StatisticsExtractionComponent]):
    """(count, sum of x, sum of x^2) over the input frames of a period that exist."""

    def __init__(self, component: StatisticsExtractionComponent) -> None:
        super().__init__(component)
        self.include_variance: bool = component.include_variance

    def forward(self, taps: List[Tensor], valid: List[Tensor]) -> Tensor:
        x = total(taps)
        parts = [total(valid).expand(x.size(0), x.size(1), 1), x]
        if self.include_variance:
            parts.append(total([tap * tap for tap in taps]))
        return torch.cat(parts, dim=-1)


@module_for(StatisticsPoolingComponent)
class StatisticsPooling(ComponentModule[StatisticsPoolingComponent]):
    """Sums (count, x, x^2) over a window turned into log(count) features, means and standard deviations."""

    READS_TAPS = True

    def __init__(self, component: StatisticsPoolingComponent) -> None:
        super().__init__(component)
        self.num_taps = len(component.taps().offsets)
        self.num_log_counts: int = component.num_log_count_features
        self.output_stddevs: bool = component.output_stddevs
        self.variance_floor: float = component.variance_floor

    def forward(self, taps: List[Tensor], valid: List[Tensor]) -> Tensor:
        return self.pooled(total(taps))

    @torch.jit.unused
    def train_on(self, x: Tensor, spec: List[int], rows: int) -> Tensor:
        """As forward, for the ``rows`` output frames whose taps a layout's ``spec`` reads in ``x`` [T, N, D]."""
        return self.pooled(_WindowSums.apply(x, spec, rows, self.num_taps))

    def pooled(self, sums: Tensor) -> Tensor:
        """Of sums [rows, N, 1 + dim]."""
        count = sums[..., :1]
        means = sums[..., 1:] / count
        parts: List[Tensor] = []
        if self.num_log_counts > 0:
            parts.append(torch.log(count).expand(count.size(0), count.size(1), self.num_log_counts))
        if self.output_stddevs:
            dim = means.size(-1) // 2
            mean = means[..., :dim]
            variance = torch.clamp(means[..., dim:] - mean * mean, min=self.variance_floor)
            parts += [mean, torch.sqrt(variance)]
        else:
            parts.append(means)
        return torch.cat(parts, dim=-1)


class _WindowSums(torch.autograd.Function):
    """Sums over the taps that there are, where autograd would make a derivative as large as ``x`` for each.

    A window for the longest recording has thousands of taps, of which a chunk has few.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, spec: List[int], rows: int, taps: int) -> Tensor:
        ctx.shape, ctx.spec, ctx.used = x.shape, spec, []
        sums, at = nothing_like(x, rows, x.size(2)), 1
        for _ in range(taps):
            if spec[at] != 0:
                ctx.used.append(at)
                sums += read_leaf(x, spec, at, rows)
            at += leaf_size(spec, at)
        return sums

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        of_x = gradient.new_zeros(ctx.shape)
        for at in ctx.used:
            add_rows(of_x, ctx.spec, at, gradient)
        return of_x, None, None, None
