"""Dropout of several kinds, and SpecAugment (Kaldi: nnet3/nnet-general-component.cc, nnet-simple-component.cc).

The random numbers are torch's. A component that its file says is in test mode is always in test mode.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor

from nnet3_compat.components.dropout import (
    DropoutComponent,
    DropoutMaskComponent,
    DropoutProportionComponent,
    GeneralDropoutComponent,
    RandomComponent,
    SpecAugmentTimeMaskComponent,
)
from nnet3_compat.modules.base import ComponentModule, module_for

R = TypeVar("R", bound=RandomComponent)
P = TypeVar("P", bound=DropoutProportionComponent)


class Random(ComponentModule[R]):
    """Has a test mode of its own."""

    def __init__(self, component: R) -> None:
        super().__init__(component)
        self.test_mode: bool = component.test_mode


class RandomProportion(Random[P]):
    """Has a proportion that may be changed."""

    def __init__(self, component: P) -> None:
        super().__init__(component)
        self.p: float = component.dropout_proportion

    @torch.jit.unused
    def set_dropout_proportion(self, proportion: float) -> None:
        """As the edit set-dropout-proportion does; also of the component that is written."""
        self.p = proportion
        self.component.dropout_proportion = proportion


@module_for(DropoutComponent)
class Dropout(RandomProportion[DropoutComponent]):
    """Elements, or whole frames, zeroed with probability p; test mode multiplies by 1 - p."""

    def __init__(self, component: DropoutComponent) -> None:
        super().__init__(component)
        self.per_frame: bool = component.dropout_per_frame

    def forward(self, x: Tensor) -> Tensor:
        if not torch.jit.is_scripting() and self.training and not self.test_mode:
            like = x[..., :1] if self.per_frame else x
            return x * (torch.rand_like(like) > self.p).to(x.dtype)
        return x if self.p == 0.0 else x * (1.0 - self.p)


@module_for(DropoutMaskComponent)
class DropoutMask(RandomProportion[DropoutMaskComponent]):
    """The mask alone, [T, N, output_dim], of expectation 1 - p, or, where continuous, uniform in 1 - 2p ... 1 + 2p.

    Of a mask with two or three columns (the gates of an LSTM) the first two are never both zero. Only the first two
    dimensions of the input are looked at.
    """

    def __init__(self, component: DropoutMaskComponent) -> None:
        super().__init__(component)
        self.output_dim: int = component.output_dim
        self.continuous: bool = component.continuous

    def forward(self, x: Tensor) -> Tensor:
        if not torch.jit.is_scripting() and self.training and not self.test_mode and self.p > 0.0:
            return self.draw(x)
        expected = 1.0 if self.continuous else 1.0 - self.p
        return torch.full([x.size(0), x.size(1), self.output_dim], expected, dtype=x.dtype, device=x.device)

    @torch.jit.unused
    def draw(self, x: Tensor) -> Tensor:
        """A new mask."""
        u = torch.rand([x.size(0), x.size(1), self.output_dim], dtype=x.dtype, device=x.device)
        if self.continuous:
            return u * (4.0 * self.p) + (1.0 - 2.0 * self.p)
        mask = (u > self.p).to(x.dtype)
        if self.output_dim in (2, 3):
            mask[..., 1] = (u[..., 0] < 1.0 - self.p).to(x.dtype)
        return mask


@module_for(GeneralDropoutComponent)
class GeneralDropout(RandomProportion[GeneralDropoutComponent]):
    """A mask of expectation 1 per sequence, for all frames or for each ``time_period`` rows, and ``block_dim`` columns.

    Or, with ``specaugment_max_proportion``, a random region of columns zeroed. Test mode is the identity. Periods are
    counted in rows of the call, from its first row.
    """

    def __init__(self, component: GeneralDropoutComponent) -> None:
        super().__init__(component)
        self.dim: int = component.dim
        self.block_dim: int = component.block_dim
        self.time_period: int = component.time_period
        self.continuous: bool = component.continuous
        self.max_proportion: float = component.specaugment_max_proportion
        self.max_regions: int = component.specaugment_max_regions

    def forward(self, x: Tensor) -> Tensor:
        if torch.jit.is_scripting():
            return x
        return x * self.draw(x) if self.draws() else x

    @torch.jit.unused
    def draws(self) -> bool:
        """Whether there is a mask, or x stays as it is."""
        return self.training and not self.test_mode and (self.p > 0.0 or self.max_proportion > 0.0)

    @torch.jit.unused
    def draw(self, x: Tensor) -> Tensor:
        """A mask that multiplies x, [1 or T, N, D]."""
        periods = -(-x.size(0) // self.time_period) if self.time_period > 0 else 1
        shape = [periods, x.size(1), self.block_dim]
        if self.max_proportion > 0.0:
            mask = frequency_mask(shape, self.max_proportion, self.max_regions).to(x)
        else:
            u = torch.rand(shape, dtype=x.dtype, device=x.device)
            if self.continuous:
                mask = u * (4.0 * self.p) + (1.0 - 2.0 * self.p)
            else:
                mask = (u > self.p).to(x.dtype) / (1.0 - self.p)
        mask = mask.repeat(1, 1, self.dim // self.block_dim)
        return mask.repeat_interleave(self.time_period, dim=0)[: x.size(0)] if self.time_period > 0 else mask


def frequency_mask(shape: list[int], max_proportion: float, max_regions: int) -> Tensor:
    """Ones with, in each row [..., D], a random run of at most ``max_proportion`` of the columns (on a circle) zeroed.

    More regions come from turning round random halves of the circle (Kaldi: GeneralDropoutComponent::GetMemo).
    """
    dim = shape[-1]
    mask = torch.ones(shape).view(-1, dim)
    most = int(dim * max_proportion + 0.5)
    column = torch.arange(dim)
    for row in mask:
        zeroed, start = int(torch.randint(0, most + 1, ())), int(torch.randint(0, dim, ()))
        if zeroed == 0:
            continue
        row[(start + column[:zeroed]) % dim] = 0.0
        for _ in range(1, max_regions):
            half = dim // 2
            first = int(torch.randint(0, dim, ()))
            i = torch.arange(half // 2)
            a, b = (first + i) % dim, (first + half - i) % dim
            row[a], row[b] = row[b].clone(), row[a].clone()
    return mask.view(shape)


@module_for(SpecAugmentTimeMaskComponent)
class SpecAugmentTimeMask(Random[SpecAugmentTimeMaskComponent]):
    """Runs of frames zeroed, each sequence (dimension N) its own, ``zeroed_proportion`` of all."""

    def __init__(self, component: SpecAugmentTimeMaskComponent) -> None:
        super().__init__(component)
        self.zeroed_proportion: float = component.zeroed_proportion
        self.max_frames: int = component.time_mask_max_frames

    def forward(self, x: Tensor) -> Tensor:
        if not torch.jit.is_scripting() and self.training and not self.test_mode and self.zeroed_proportion > 0.0:
            return x * self.draw(x)
        return x

    @torch.jit.unused
    def draw(self, x: Tensor) -> Tensor:
        """A mask [T, N, 1]: runs of ones and of zeros in turn, of random lengths."""
        z = self.zeroed_proportion
        kept_frames = max(1, int(self.max_frames * (1.0 - z) / z))
        mask = torch.ones(x.size(0), x.size(1), 1)
        for n in range(x.size(1)):
            t = 0
            while t < x.size(0):
                if t > 0 or float(torch.rand(())) < z:
                    t += int(torch.randint(1, kept_frames + 1, ()))
                zeroed = int(torch.randint(1, self.max_frames + 1, ()))
                mask[t : t + zeroed, n] = 0.0
                t += zeroed
        return mask.to(x)
