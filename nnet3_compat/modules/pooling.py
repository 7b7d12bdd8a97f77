"""Maximum over boxes of a frame read as a 3-D image (Kaldi: nnet3/nnet-combined-component.cc)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from nnet3_compat.components.rearrange import MaxpoolingComponent
from nnet3_compat.modules.base import ComponentModule, module_for


@module_for(MaxpoolingComponent)
class Maxpooling(ComponentModule[MaxpoolingComponent]):
    """Frames are [x, y, z], z runs fastest, at the input and at the output.

    Where several elements are the maximum, one of them gets the gradient (in Kaldi each gets all of it).
    """

    def __init__(self, component: MaxpoolingComponent) -> None:
        super().__init__(component)
        c = component
        self.sizes: list[int] = [c.input_x_dim, c.input_y_dim, c.input_z_dim]
        self.pool: list[int] = [c.pool_x_size, c.pool_y_size, c.pool_z_size]
        self.steps: list[int] = [c.pool_x_step, c.pool_y_step, c.pool_z_step]

    def forward(self, x: Tensor) -> Tensor:
        image = x.reshape(-1, 1, self.sizes[0], self.sizes[1], self.sizes[2])
        made = F.max_pool3d(image, self.pool, self.steps)
        return made.reshape(x.size(0), x.size(1), -1)
