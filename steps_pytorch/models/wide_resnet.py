"""Wide residual networks over time and frequency: a chunk is an image of one channel.

S. Zagoruyko, N. Komodakis, "Wide residual networks", BMVC 2016; as energy-based models, leaky and without
normalization, in W. Grathwohl et al., "Your classifier is secretly an energy based model and you should treat it like
one", ICLR 2020.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from steps_pytorch.models.encoder import EncoderModel
from steps_pytorch.models.normalization import OVER_CHUNK, normalization
from steps_pytorch.models.registry import MODELS
from steps_pytorch.models.residual import ContextOptions, Residual, ResidualEncoder
from steps_pytorch.models.whole_numbers import whole_numbers
from steps_pytorch.registry import Dimensions

FIRST_CHANNELS = 16


@dataclass
class WideResnetOptions(ContextOptions):
    """Options of ``wide-resnet``."""

    depth: int = option(28, "Number of convolutions, 6 n + 4: three groups of n blocks")
    width: int = option(10, "Channels of the groups are 16, 32 and 64 times this")
    time_strides: str = option("1 2 2", "Strides of the groups; their product is the frame subsampling factor")
    norm: str = option("none", "Normalization before each convolution: batch, layer, instance or none")
    leak: float = option(0.2, "Slope of the leaky ReLU for negative values")
    dropout: float = option(0.0, "Share of activations that are set to zero in training, within blocks")
    prefinal_dim: int = option(0, "Dimension of the layer before the output layer; 0: none")


class WideResnet(ResidualEncoder):
    """Frequencies are padded, and their number halved in the second and third group; at the end they are averaged."""

    def __init__(self, options: WideResnetOptions) -> None:
        super().__init__()
        blocks, rest = divmod(options.depth - 4, 6)
        if rest or blocks < 1 or options.width < 1:
            raise KaldiError(f"--depth={options.depth} must be 6 n + 4 with n > 0, --width={options.width} positive")
        strides = whole_numbers("--time-strides", options.time_strides)
        if len(strides) != 3:
            raise KaldiError(f"--time-strides='{options.time_strides}' must be three numbers")
        reach, rate = 1, 1
        for stride in strides:
            reach += 2 * rate + 2 * (blocks - 1) * rate * stride
            rate *= stride
        self.frame_subsampling_factor = rate
        self.set_context(reach, options)
        self.chunk_invariant &= options.norm != OVER_CHUNK
        layers: list[nn.Module] = [self._convolution(1, FIRST_CHANNELS, 1, 1)]
        dim = FIRST_CHANNELS
        for group, stride in enumerate(strides):
            channels = FIRST_CHANNELS * 2**group * options.width
            for i in range(blocks):
                first = i == 0
                layers.append(self._block(dim, channels, options, stride if first else 1, 2 if first and group else 1))
                dim = channels
        layers += [normalization(options.norm, dim, axes=2), nn.LeakyReLU(options.leak)]
        self.layers = nn.Sequential(*layers)
        self.output_dim = dim

    def _convolution(self, dim: int, channels: int, time_stride: int, frequency_stride: int) -> nn.Conv2d:
        stride = (time_stride, frequency_stride)
        return nn.Conv2d(dim, channels, 3, stride=stride, padding=(int(self.padded), 1))

    def _block(
        self, dim: int, channels: int, options: WideResnetOptions, time_stride: int, frequency_stride: int
    ) -> Residual:
        main = nn.Sequential(
            normalization(options.norm, dim, axes=2),
            nn.LeakyReLU(options.leak),
            self._convolution(dim, channels, 1, 1),
            nn.Dropout(options.dropout),
            normalization(options.norm, channels, axes=2),
            nn.LeakyReLU(options.leak),
            self._convolution(channels, channels, time_stride, frequency_stride),
        )
        stride = (time_stride, frequency_stride)
        same = dim == channels and stride == (1, 1)
        shortcut = nn.Identity() if same else nn.Conv2d(dim, channels, 1, stride=stride)
        return Residual(main, shortcut, 0 if self.padded else 2)

    def forward(self, features: Tensor) -> Tensor:
        hidden = self.layers(features.unsqueeze(1)).mean(3)
        return self.outputs(hidden, features.size(1)).transpose(1, 2)


@MODELS.add("wide-resnet", WideResnetOptions)
def make_wide_resnet(options: WideResnetOptions, dimensions: Dimensions) -> EncoderModel:
    """Raises KaldiError for options that make no network."""
    return EncoderModel(WideResnet(options), dimensions, options.prefinal_dim)
