"""The older 2-D convolution within a frame (Kaldi: ConvolutionComponent in nnet3/nnet-combined-component.cc)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from nnet3_compat.components.convolution import ConvolutionComponent
from nnet3_compat.modules.base import ComponentModule, module_for


@module_for(ConvolutionComponent)
class Convolution(ComponentModule[ConvolutionComponent]):
    """Filters over x and y of each frame, read as an image of z channels.

    A frame is [x, y, z] ("zyx" order: z runs fastest) or [x, z, y] ("yzx"). ``filter_params`` are [filters, x * y * z];
    the output is [x steps, y steps, filters].
    """

    PARAMS = ("filter_params", "bias_params")

    def __init__(self, component: ConvolutionComponent) -> None:
        super().__init__(component)
        c = component
        self.z_last: bool = int(c.input_vectorization) == 1
        self.sizes: list[int] = [c.input_x_dim, c.input_y_dim, c.input_z_dim]
        self.filter_sizes: list[int] = [c.filt_x_dim, c.filt_y_dim, c.input_z_dim]
        self.steps: list[int] = [c.filt_x_step, c.filt_y_step]

    def forward(self, x: Tensor) -> Tensor:
        nx, ny, nz = self.sizes[0], self.sizes[1], self.sizes[2]
        if self.z_last:
            image = x.reshape(-1, nx, ny, nz).permute(0, 3, 1, 2)
        else:
            image = x.reshape(-1, nx, nz, ny).permute(0, 2, 1, 3)
        weight = self.filter_params.unflatten(1, self.filter_sizes).permute(0, 3, 1, 2)
        made = F.conv2d(image, weight, self.bias_params, stride=self.steps)
        return made.permute(0, 2, 3, 1).reshape(x.size(0), x.size(1), -1)
