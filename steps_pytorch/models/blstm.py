"""Bidirectional long short-term memory, with some frames of context to warm up on.

A. Graves, N. Jaitly, A. Mohamed, "Hybrid speech recognition with deep bidirectional LSTM", ASRU 2013.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from steps_pytorch.models.encoder import Encoder, EncoderModel
from steps_pytorch.models.registry import MODELS
from steps_pytorch.registry import Dimensions


@dataclass
class BlstmOptions:
    """Options of ``blstm``."""

    hidden_dim: int = option(512, "Dimension of the layers, half of it for each direction")
    num_layers: int = option(4, "Number of layers")
    dropout: float = option(0.1, "Share of activations between layers that are set to zero in training")
    prefinal_dim: int = option(256, "Dimension of the layer before the output layer; 0: none")
    left_context: int = option(40, "Frames before the first output frame's, to warm up on")
    right_context: int = option(40, "Frames after the last output frame's, likewise")


class Blstm(Encoder):
    """Outputs depend on all frames of the chunk."""

    def __init__(self, feature_dim: int, factor: int, options: BlstmOptions) -> None:
        super().__init__()
        if options.hidden_dim < 2 or options.hidden_dim % 2 or options.num_layers < 1:
            raise KaldiError(
                f"--hidden-dim={options.hidden_dim} must be even and --num-layers={options.num_layers} positive"
            )
        if min(options.left_context, options.right_context) < 0:
            raise KaldiError("--left-context and --right-context must not be negative")
        self.output_dim, self.frame_subsampling_factor, self.chunk_invariant = options.hidden_dim, factor, False
        self.left_context, self.right_context = options.left_context, options.right_context
        self.lstm = nn.LSTM(
            feature_dim,
            options.hidden_dim // 2,
            options.num_layers,
            batch_first=True,
            dropout=options.dropout if options.num_layers > 1 else 0.0,
            bidirectional=True,
        )

    def forward(self, features: Tensor) -> Tensor:
        hidden = self.lstm(features)[0]
        return hidden[:, self.left_context : features.size(1) - self.right_context : self.frame_subsampling_factor]


@MODELS.add("blstm", BlstmOptions)
def make_blstm(options: BlstmOptions, dimensions: Dimensions) -> EncoderModel:
    """Raises KaldiError for options that make no network."""
    encoder = Blstm(dimensions.feature_dim, dimensions.frame_subsampling_factor, options)
    return EncoderModel(encoder, dimensions, options.prefinal_dim)
