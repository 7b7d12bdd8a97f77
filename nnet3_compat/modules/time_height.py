"""Convolution over time and height (Kaldi: TimeHeightConvolutionComponent, nnet3/convolution.h)."""

from __future__ import annotations

from typing import List  # noqa: UP035  (TorchScript)

import torch
import torch.nn.functional as F
from torch import Tensor

from nnet3_compat.components.time_height_convolution import TimeHeightConvolutionComponent
from nnet3_compat.modules.base import ComponentModule, module_for


@module_for(TimeHeightConvolutionComponent)
class TimeHeightConvolution(ComponentModule[TimeHeightConvolutionComponent]):
    """Frames are [height, filters], filters run fastest; ``linear_params`` [filters out, offsets * filters in].

    y[t, h] = b + sum_k W_k x[t + time_k, s h + height_k], s the subsampling of height, zeros above and below the image.

    One matrix product per tap, its heights side by side, adds to the same result. With filters fastest, copying them
    together is cheap, and on a CPU this is up to twice as fast as a 2-D convolution.
    """

    PARAMS = ("linear_params", "bias_params")

    def __init__(self, component: TimeHeightConvolutionComponent) -> None:
        super().__init__(component)
        heights = [h for _, h in component.offsets]
        self.heights: list[list[int]] = [
            [h for t, h in component.offsets if t == time] for time in component.all_time_offsets
        ]
        self.filters_in: int = component.num_filters_in
        self.height_in: int = component.height_in
        self.step: int = component.height_subsample_out
        self.last: int = (component.height_out - 1) * self.step
        self.pad_low: int = max(-min(heights), 0)
        self.pad_high: int = max(self.last + max(heights) + 1 - component.height_in, 0)

    def forward(self, taps: List[Tensor], valid: List[Tensor]) -> Tensor:  # noqa: UP006
        y = torch.empty(0)
        column = 0
        for k, tap in enumerate(taps):
            image = tap.reshape(-1, self.height_in, self.filters_in)
            if self.pad_low > 0 or self.pad_high > 0:
                image = F.pad(image, [0, 0, self.pad_low, self.pad_high])
            shifted: List[Tensor] = []  # noqa: UP006
            for height in self.heights[k]:
                first = height + self.pad_low
                shifted.append(image[:, first : first + self.last + 1 : self.step])
            columns = len(shifted) * self.filters_in
            rows = torch.cat(shifted, dim=-1).reshape(-1, columns)
            weight = self.linear_params[:, column : column + columns].t()
            if k == 0:
                y = torch.addmm(self.bias_params, rows, weight)
            else:
                y.addmm_(rows, weight)
            column += columns
        return y.view(taps[0].size(0), taps[0].size(1), -1)
