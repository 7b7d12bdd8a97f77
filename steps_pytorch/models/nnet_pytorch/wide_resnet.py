"""The WideResNet of nnet_pytorch: a chunk is an image of one channel, padded in time and frequency.

Its strides are those of both axes. Whatever number of frames they leave of a chunk with its context is averaged to one
for every fourth frame of the chunk (adaptive pooling): contexts are squeezed into the outputs, not cut off.
"""

from typing import Tuple

import torch.nn.functional as F
from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import shown
from steps_pytorch.models.nnet_pytorch.configuration import MOST_LAYERS, Configuration, literal, whole_number
from steps_pytorch.models.nnet_pytorch.network import Network, State

# TorchScript wants typing.Tuple in annotations.
# ruff: noqa: UP006, UP035

FACTOR = 4
FIRST_CHANNELS = 16
LEAK = 0.2
SECOND_DIM = 192
STRIDES = "[1, 1, 2, 2]"


class WideResnet(Network):
    """Three groups of blocks."""

    def __init__(self, configuration: Configuration, state: State) -> None:
        values = configuration.values
        super().__init__(configuration, whole_number(values, "idim", least=0, default=0))
        blocks, rest = divmod(whole_number(values, "depth", most=MOST_LAYERS) - 4, 6)
        width = whole_number(values, "width")
        if rest or blocks < 1:
            raise KaldiError(f"depth={values['depth']} must be 6 n + 4 with n > 0")
        if self.factor != FACTOR:
            raise KaldiError(f"subsample={self.factor}: a WideResnet has an output for every {FACTOR} frames")
        strides = literal(values.get("strides", STRIDES), "strides")
        if (
            not isinstance(strides, list)
            or len(strides) != 4
            or not all(isinstance(s, int) and 0 < s < 100 for s in strides)
        ):
            raise KaldiError(f"strides={shown(str(strides))} must be four numbers")
        self.rectifier = nn.LeakyReLU(LEAK)
        self.conv1 = nn.Conv2d(1, FIRST_CHANNELS, 3, stride=strides[0], padding=1)
        made, dim = [], FIRST_CHANNELS
        for group, stride in enumerate(strides[1:]):
            channels = FIRST_CHANNELS * 2**group * width
            layers = [Block(dim, channels, stride), *(Block(channels, channels, 1) for _ in range(blocks - 1))]
            made.append(nn.Sequential(*layers))
            dim = channels
        self.layer1, self.layer2, self.layer3 = made
        self.linear = nn.Linear(dim, self.num_pdfs)
        if configuration.chain:
            self.prefinal_xent = nn.Linear(dim, SECOND_DIM)
            self.xent_norm = nn.LayerNorm(SECOND_DIM)
            self.xent_layer = nn.Linear(SECOND_DIM, self.num_pdfs)

    def forward(self, features: Tensor) -> Tuple[Tensor, Tensor]:
        hidden = self.layer3(self.layer2(self.layer1(self.conv1(features.unsqueeze(1)))))
        frames = features.size(1) - self.left_context - self.right_context
        pooled = F.adaptive_avg_pool2d(self.rectifier(hidden), ((frames + self.factor - 1) // self.factor, 1))
        seen = pooled.squeeze(-1).transpose(1, 2)
        return self.linear(seen), seen

    def second(self, seen: Tensor) -> Tensor:
        return self.xent_layer(self.xent_norm(self.rectifier(self.prefinal_xent(seen))))


class Block(nn.Module):
    """Two convolutions after leaky rectifiers, plus a shortcut."""

    def __init__(self, dim: int, channels: int, stride: int) -> None:
        super().__init__()
        self.rectifier = nn.LeakyReLU(LEAK)
        self.conv1 = nn.Conv2d(dim, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride=stride, padding=1)
        self.shortcut = nn.Sequential()
        if stride != 1 or dim != channels:
            self.shortcut.append(nn.Conv2d(dim, channels, 1, stride=stride))

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.conv1(self.rectifier(x))
        return self.conv2(self.rectifier(hidden)) + self.shortcut(x)
