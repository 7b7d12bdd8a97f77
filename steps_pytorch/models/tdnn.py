"""Time delay neural networks: convolutions over time, wider apart with each layer.

V. Peddinti, D. Povey, S. Khudanpur, "A time delay neural network architecture for efficient modeling of long temporal
contexts", Interspeech 2015.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from steps_pytorch.models.encoder import Encoder, EncoderModel
from steps_pytorch.models.normalization import OVER_CHUNK, normalization
from steps_pytorch.models.registry import MODELS
from steps_pytorch.models.whole_numbers import whole_numbers
from steps_pytorch.registry import Dimensions


@dataclass
class TdnnOptions:
    """Options of ``tdnn``."""

    hidden_dim: int = option(625, "Dimension of the layers")
    time_strides: str = option(
        "0 1 1 1 3 3 3 3 3 3", "One number for each layer: it sees the frames -n, 0 and n; or only one frame, for 0"
    )
    prefinal_dim: int = option(192, "Dimension of the layer before the output layer; 0: none")
    norm: str = option("batch", "Normalization after each layer: batch, layer, instance or none")
    dropout: float = option(0.1, "Share of activations that are set to zero in training")


class Tdnn(Encoder):
    """Each layer: convolution, ReLU, normalization, dropout. Nothing is padded.

    The layers after the one from which on only every ``factor``-th frame is used are computed for those alone.
    """

    def __init__(self, feature_dim: int, factor: int, options: TdnnOptions) -> None:
        super().__init__()
        strides = whole_numbers("--time-strides", options.time_strides, least=0)
        self.output_dim, self.frame_subsampling_factor = options.hidden_dim, factor
        self.chunk_invariant = options.norm != OVER_CHUNK
        self.left_context = self.right_context = sum(strides)
        layers: list[nn.Module] = []
        dim, rate = feature_dim, 1
        for i, stride in enumerate(strides):
            skips = rate < factor and all(later % factor == 0 for later in strides[i + 1 :])
            layers += [
                nn.Conv1d(
                    dim,
                    options.hidden_dim,
                    kernel_size=3 if stride else 1,
                    stride=factor if skips else 1,
                    dilation=max(stride // rate, 1),
                ),
                nn.ReLU(),
                normalization(options.norm, options.hidden_dim, axes=1),
                nn.Dropout(options.dropout),
            ]
            dim, rate = options.hidden_dim, factor if skips else rate
        self.layers = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        return self.layers(features.transpose(1, 2)).transpose(1, 2)


@MODELS.add("tdnn", TdnnOptions)
def make_tdnn(options: TdnnOptions, dimensions: Dimensions) -> EncoderModel:
    """Raises KaldiError for options that make no network."""
    if options.hidden_dim < 1:
        raise KaldiError(f"--hidden-dim={options.hidden_dim} must be positive")
    encoder = Tdnn(dimensions.feature_dim, dimensions.frame_subsampling_factor, options)
    return EncoderModel(encoder, dimensions, options.prefinal_dim)
