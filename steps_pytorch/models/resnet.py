"""Residual networks of bottleneck blocks over time, with the feature dimensions as channels.

K. He et al., "Deep residual learning for image recognition", CVPR 2016.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import words
from steps_pytorch.models.encoder import EncoderModel
from steps_pytorch.models.normalization import OVER_CHUNK, normalization
from steps_pytorch.models.registry import MODELS
from steps_pytorch.models.residual import ContextOptions, Residual, ResidualEncoder
from steps_pytorch.models.whole_numbers import whole_numbers
from steps_pytorch.registry import Dimensions


@dataclass
class ResnetOptions(ContextOptions):
    """Options of ``resnet``."""

    first_dim: int = option(192, "Channels of the first convolution")
    bottleneck_dim: int = option(96, "Channels within the blocks")
    layers: str = option(
        "256:3:1 512:3:1 512:1:3 512:3:1",
        "Groups of blocks, channels:blocks:stride. The product of strides is the frame subsampling factor",
    )
    prefinal_dim: int = option(192, "Dimension of the layer before the output layer; 0: none")
    norm: str = option("none", "Normalization after each convolution: batch, layer, instance or none")


class Resnet(ResidualEncoder):
    """A convolution and max pooling over three frames each, then the blocks."""

    def __init__(self, feature_dim: int, options: ResnetOptions) -> None:
        super().__init__()
        groups = [whole_numbers("--layers", group, separator=":") for group in words(options.layers)]
        if any(len(group) != 3 for group in groups) or not groups:
            raise KaldiError(f"--layers='{options.layers}' must be groups of channels:blocks:stride")
        self.output_dim, self.frame_subsampling_factor, reach = groups[-1][0], 1, 2
        for _, blocks, stride in groups:
            reach += self.frame_subsampling_factor * stride  # the first block's convolution sees frames a stride apart
            self.frame_subsampling_factor *= stride
            reach += self.frame_subsampling_factor * (blocks - 1)
        self.set_context(reach, options)
        self.chunk_invariant &= options.norm != OVER_CHUNK
        padding = int(self.padded)
        self.first = nn.Sequential(
            nn.Conv1d(feature_dim, options.first_dim, 3, padding=padding),
            normalization(options.norm, options.first_dim, axes=1),
            nn.ReLU(),
            nn.MaxPool1d(3, stride=1, padding=padding),
        )
        layers: list[nn.Module] = []
        dim = options.first_dim
        for channels, blocks, stride in groups:
            for i in range(blocks):
                layers.append(self._block(dim, channels, options, stride if i == 0 else 1))
                layers.append(nn.ReLU())
                dim = channels
        self.blocks = nn.Sequential(*layers)

    def _block(self, dim: int, channels: int, options: ResnetOptions, stride: int) -> Residual:
        inner = options.bottleneck_dim
        padding = stride if self.padded else 0
        main = nn.Sequential(
            nn.Conv1d(dim, inner, 1, bias=False),
            normalization(options.norm, inner, axes=1),
            nn.ReLU(),
            nn.Conv1d(inner, inner, 3, stride=stride, dilation=stride, padding=padding, bias=False),
            normalization(options.norm, inner, axes=1),
            nn.ReLU(),
            nn.Conv1d(inner, channels, 1, bias=False),
            normalization(options.norm, channels, axes=1),
        )
        shortcut = nn.Conv1d(dim, channels, 1, stride=stride, bias=False)
        return Residual(main, shortcut, 0 if self.padded else stride)

    def forward(self, features: Tensor) -> Tensor:
        hidden = self.blocks(self.first(features.transpose(1, 2)))
        return self.outputs(hidden, features.size(1)).transpose(1, 2)


@MODELS.add("resnet", ResnetOptions)
def make_resnet(options: ResnetOptions, dimensions: Dimensions) -> EncoderModel:
    """Raises KaldiError for options that make no network."""
    return EncoderModel(Resnet(dimensions.feature_dim, options), dimensions, options.prefinal_dim)
