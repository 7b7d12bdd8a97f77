"""Conformers: attention over the chunk, convolutions over neighbours.

A. Gulati et al., "Conformer: Convolution-augmented transformer for speech recognition", Interspeech 2020.

Layers and the names of their parameters are those of torchaudio.models.Conformer. There are no positions but what
convolutions tell.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from steps_pytorch.models.encoder import Encoder, EncoderModel
from steps_pytorch.models.registry import MODELS
from steps_pytorch.models.whole_numbers import at_least_one
from steps_pytorch.registry import Dimensions


@dataclass
class ConformerOptions:
    """Options of ``conformer``."""

    dim: int = option(256, "Dimension of the layers")
    num_layers: int = option(12, "Number of layers")
    num_heads: int = option(4, "Number of attention heads")
    ffn_dim: int = option(1024, "Dimension inside the feed-forward parts")
    kernel_size: int = option(31, "Output frames that the convolution of a layer sees; odd")
    norm: str = option("batch", "Normalization in the convolutions: batch, or group (of all channels, over the chunk)")
    convolution_first: bool = option(False, "In each layer the convolution before attention")
    dropout: float = option(0.1, "Share of activations that are set to zero in training")
    prefinal_dim: int = option(0, "Dimension of the layer before the output layer; 0: none")
    left_context: int = option(40, "Input frames before the first output frame's, to be attended to; at least so many")
    right_context: int = option(40, "Input frames after the last output frame's, likewise")


class Conformer(Encoder):
    """A convolution from input to output frames, then the layers. Outputs depend on the whole chunk.

    The convolution sees factor - 1 frames to each side of an output frame's; contexts are these and whole output
    frames.
    """

    def __init__(self, feature_dim: int, factor: int, options: ConformerOptions) -> None:
        """Raises KaldiError for options that make no network."""
        super().__init__()
        if min(options.left_context, options.right_context) < 0:
            raise KaldiError("--left-context and --right-context must not be negative")
        if options.norm not in ("batch", "group"):
            raise KaldiError(f"--norm={options.norm} must be batch or group")
        at_least_one(options, "dim", "num_layers", "num_heads", "ffn_dim", "kernel_size")
        if options.dim % options.num_heads or options.kernel_size % 2 == 0:
            raise KaldiError(
                f"--dim={options.dim} must be a multiple of --num-heads={options.num_heads}, and "
                f"--kernel-size={options.kernel_size} odd"
            )
        self.output_dim, self.frame_subsampling_factor, self.chunk_invariant = options.dim, factor, False
        self.before, self.after = -(-options.left_context // factor), -(-options.right_context // factor)
        self.left_context = self.before * factor + factor - 1
        self.right_context = self.after * factor + factor - 1
        self.subsampling = nn.Conv1d(feature_dim, options.dim, kernel_size=2 * factor - 1, stride=factor)
        self.dropout = nn.Dropout(options.dropout)
        self.conformer_layers = nn.ModuleList([ConformerLayer(options) for _ in range(options.num_layers)])

    def forward(self, features: Tensor) -> Tensor:
        x = self.dropout(self.subsampling(features.transpose(1, 2)).transpose(1, 2))
        for layer in self.conformer_layers:
            x = layer(x)
        return x[:, self.before : x.size(1) - self.after]


class ConformerLayer(nn.Module):
    """[N, T, dim] -> the same: half a feed-forward part, attention, convolution, the other half; residual each."""

    def __init__(self, options: ConformerOptions) -> None:
        super().__init__()
        self.ffn1 = FeedForward(options)
        self.self_attn_layer_norm = nn.LayerNorm(options.dim)
        self.self_attn = nn.MultiheadAttention(options.dim, options.num_heads, options.dropout, batch_first=True)
        self.self_attn_dropout = nn.Dropout(options.dropout)
        self.conv_module = Convolution(options)
        self.ffn2 = FeedForward(options)
        self.final_layer_norm = nn.LayerNorm(options.dim)
        self.convolution_first = options.convolution_first

    def forward(self, x: Tensor) -> Tensor:
        x = x + 0.5 * self.ffn1(x)
        if self.convolution_first:
            x = x + self.conv_module(x)
        normalized = self.self_attn_layer_norm(x)
        attended = self.self_attn(normalized, normalized, normalized, need_weights=False)[0]
        x = x + self.self_attn_dropout(attended)
        if not self.convolution_first:
            x = x + self.conv_module(x)
        x = x + 0.5 * self.ffn2(x)
        return self.final_layer_norm(x)


class FeedForward(nn.Module):
    """Each frame on its own."""

    def __init__(self, options: ConformerOptions) -> None:
        super().__init__()
        self.sequential = nn.Sequential(
            nn.LayerNorm(options.dim),
            nn.Linear(options.dim, options.ffn_dim),
            nn.SiLU(),
            nn.Dropout(options.dropout),
            nn.Linear(options.ffn_dim, options.dim),
            nn.Dropout(options.dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.sequential(x)


class Convolution(nn.Module):
    """Gated, then over time in each channel, with zeros beyond the chunk."""

    def __init__(self, options: ConformerOptions) -> None:
        super().__init__()
        dim, kernel = options.dim, options.kernel_size
        self.layer_norm = nn.LayerNorm(dim)
        self.sequential = nn.Sequential(
            nn.Conv1d(dim, 2 * dim, 1),
            nn.GLU(dim=1),
            nn.Conv1d(dim, dim, kernel, padding=kernel // 2, groups=dim),
            nn.GroupNorm(1, dim) if options.norm == "group" else nn.BatchNorm1d(dim),
            nn.SiLU(),
            nn.Conv1d(dim, dim, 1),
            nn.Dropout(options.dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.sequential(self.layer_norm(x).transpose(1, 2)).transpose(1, 2)


@MODELS.add("conformer", ConformerOptions)
def make_conformer(options: ConformerOptions, dimensions: Dimensions) -> EncoderModel:
    """Raises KaldiError for options that make no network."""
    encoder = Conformer(dimensions.feature_dim, dimensions.frame_subsampling_factor, options)
    return EncoderModel(encoder, dimensions, options.prefinal_dim)
