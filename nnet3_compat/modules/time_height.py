"""Convolution over time and height (Kaldi: TimeHeightConvolutionComponent, nnet3/convolution.h)."""

from __future__ import annotations

from typing import Any, List  # noqa: UP035  (TorchScript)

import torch
import torch.nn.functional as F
from torch import Tensor

from nnet3_compat.modules.base import ComponentModule, module_for


@module_for("TimeHeightConvolutionComponent")
class TimeHeightConvolution(ComponentModule):
    """Frames are [height, filters], filters run fastest; ``linear_params`` [filters out, offsets * filters in].

    y[t, h] = b + sum_k W_k x[t + time_k, s h + height_k], s the subsampling of height, zeros above and below the image.

    The taps, side by side, are the image [height, taps] of one 2-D convolution that is as wide as they are.
    """

    PARAMS = ("linear_params", "bias_params")

    def __init__(self, component: Any) -> None:
        super().__init__(component)
        offsets = [(int(t), int(h)) for t, h in component.offsets]
        times = sorted({t for t, _ in offsets})
        low, high = min(h for _, h in offsets), max(h for _, h in offsets)
        self.filters_in: int = component.num_filters_in
        self.filters_out: int = component.num_filters_out
        self.height_in: int = component.height_in
        self.step: int = component.height_subsample_out
        self.kernel: list[int] = [high - low + 1, len(times)]
        reach = (component.height_out - 1) * self.step + high + 1
        self.first: int = max(low, 0)
        self.end: int = min(reach, component.height_in)
        self.pad_low: int = max(-low, 0)
        self.pad_high: int = max(reach - component.height_in, 0)
        # Kernels need not be full: where each offset goes in the full one.
        place = torch.tensor([(h - low) * len(times) + times.index(t) for t, h in offsets])
        self.register_buffer("place", place, persistent=False)
        self.full: bool = len(offsets) == self.kernel[0] * self.kernel[1]

    def weight(self) -> Tensor:
        """[filters out, filters in, heights, times]."""
        given = self.linear_params.view(self.filters_out, -1, self.filters_in)  # offsets in the middle
        if self.full:  # sorted by time, then height
            return given.view(self.filters_out, self.kernel[1], self.kernel[0], self.filters_in).permute(0, 3, 2, 1)
        size = self.kernel[0] * self.kernel[1]
        zeros = torch.zeros([self.filters_out, size, self.filters_in], dtype=given.dtype, device=given.device)
        full = zeros.index_copy(1, self.place, given)
        return full.view(self.filters_out, self.kernel[0], self.kernel[1], self.filters_in).permute(0, 3, 1, 2)

    def forward(self, taps: List[Tensor], valid: List[Tensor]) -> Tensor:  # noqa: UP006
        frames, n = taps[0].size(0), taps[0].size(1)
        images = [tap.reshape(-1, self.height_in, 1, self.filters_in) for tap in taps]
        image = torch.cat(images, dim=2)[:, self.first : self.end].permute(0, 3, 1, 2)  # channels last in memory
        if self.pad_low != self.pad_high:
            image = F.pad(image, [0, 0, self.pad_low, self.pad_high])
            made = F.conv2d(image, self.weight(), self.bias_params, stride=[self.step, 1])
        else:
            made = F.conv2d(image, self.weight(), self.bias_params, stride=[self.step, 1], padding=[self.pad_low, 0])
        return made.permute(0, 2, 3, 1).reshape(frames, n, -1)
