"""The ResNet of nnet_pytorch: bottleneck blocks over time, each of which subsamples by the stride of its group.

Normalization is there after the first convolution and before the output layer, but nothing goes through it.
"""

from typing import Any, Tuple

from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import shown
from steps_pytorch.models.nnet_pytorch.configuration import LARGEST, Configuration, literal, whole_number
from steps_pytorch.models.nnet_pytorch.network import Network, State, dim_of

# TorchScript wants typing.Tuple in annotations.
# ruff: noqa: UP006, UP035

NUM_GROUPS, MOST_BLOCKS = 4, 100


class Resnet(Network):
    """Four groups of blocks. There are outputs for all frames of a chunk: it can have no context."""

    def __init__(self, configuration: Configuration, state: State) -> None:
        super().__init__(configuration, dim_of(state, "conv1.weight", 1))
        values = configuration.values
        groups = _groups(values.get("resnet_layers"))
        factor = 1
        for _, blocks, stride in groups:
            factor *= stride**blocks
        if factor != self.factor or self.left_context or self.right_context:
            raise KaldiError(
                f"resnet_layers={values['resnet_layers']} makes an output of every {factor} frames, those of context "
                f"too: that does not fit subsample={self.factor}, left_context={self.left_context}, "
                f"right_context={self.right_context}"
            )
        first, inner = whole_number(values, "resnet_hdim"), whole_number(values, "resnet_bottleneck")
        self.conv1 = nn.Conv1d(self.feature_dim, first, 3, padding=1, bias=False)
        self.n1 = nn.GroupNorm(1, first).requires_grad_(False)
        self.maxpool = nn.MaxPool1d(3, stride=1, padding=1)
        made, dim = [], first
        for channels, blocks, stride in groups:
            dims = [dim, *[channels] * blocks]
            made.append(nn.Sequential(*(Bottleneck(before, channels, inner, stride) for before in dims[:-1])))
            dim = channels
        self.layer1, self.layer2, self.layer3, self.layer4 = made
        self.prefinal_affine = nn.Linear(dim, first)
        self.n2 = nn.LayerNorm(first).requires_grad_(False)
        self.fc = nn.Linear(first, self.num_pdfs)
        if configuration.chain:
            self.prefinal_xent = nn.Linear(dim, 2 * first)
            self.xent_norm = nn.LayerNorm(2 * first)
            self.xent_layer = nn.Linear(2 * first, self.num_pdfs)

    def forward(self, features: Tensor) -> Tuple[Tensor, Tensor]:
        hidden = self.maxpool(self.conv1(features.transpose(1, 2)).relu())
        hidden = self.layer4(self.layer3(self.layer2(self.layer1(hidden)))).transpose(1, 2)
        return self.fc(self.prefinal_affine(hidden).relu()), hidden

    def second(self, seen: Tensor) -> Tensor:
        return self.xent_layer(self.xent_norm(self.prefinal_xent(seen).relu()))


def _groups(text: Any) -> list[tuple[int, int, int]]:
    """Channels, blocks and stride of each. Raises KaldiError where they are none."""
    found = literal(text, "resnet_layers")
    fits = isinstance(found, list) and len(found) == NUM_GROUPS
    for group in found if fits else []:
        fits = fits and isinstance(group, list | tuple) and len(group) == 3
        fits = fits and all(isinstance(n, int) and 0 < n < LARGEST for n in group) and group[1] <= MOST_BLOCKS
    if not fits:
        raise KaldiError(f"resnet_layers={shown(str(text))} must be four lists of channels, blocks and stride")
    return [tuple(group) for group in found]


class Bottleneck(nn.Module):
    """A narrow convolution that sees the frames -stride, 0 and stride, plus a shortcut."""

    def __init__(self, dim: int, channels: int, inner: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(dim, inner, 1, bias=False)
        self.conv2 = nn.Conv1d(inner, inner, 3, stride=stride, dilation=stride, padding=stride, bias=False)
        self.conv3 = nn.Conv1d(inner, channels, 1, bias=False)
        self.identity = nn.Sequential(nn.Conv1d(dim, channels, 1, stride=stride, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return (self.conv3(self.conv2(self.conv1(x).relu()).relu()) + self.identity(x)).relu()
