"""wav2vec 2.0's encoder, of samples: convolutions and a transformer, with random or given weights.

A. Baevski et al., "wav2vec 2.0: A framework for self-supervised learning of speech representations", NeurIPS 2020.

Features are samples, frame after frame as many as the frame shift is long (nnet-pytorch-compute-waveform-feats). With
convolutions that step s samples and see r, position p of the transformer is about the samples around p s + r / 2. An
output frame is the position nearest to the middle of its input frame.
"""

from dataclasses import dataclass

from torch import Tensor

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import strip, words
from nnet3_compat.export.tensor_files import load_tensors
from steps_pytorch.models.encoder import Encoder, EncoderModel
from steps_pytorch.models.registry import MODELS
from steps_pytorch.models.wav2vec2_network import Wav2vec2Network, Wav2vec2Shape
from steps_pytorch.models.whole_numbers import at_least_one, whole_numbers
from steps_pytorch.registry import Dimensions

FULL_SCALE = 32768.0  # samples are those of 16-bit integers, the network's lie within -1 and 1
NORMS = ("group", "layer")
SHOWN = 300  # characters of PyTorch's reasons


@dataclass
class Wav2vec2Options:
    """Options of ``wav2vec2``; the dimensions are those of the base model."""

    conv_layers: str = option(
        "512:10:5 512:3:2 512:3:2 512:3:2 512:3:2 512:2:2 512:2:2",
        "channels:kernel:stride of each convolution; all strides together must divide the samples of an output frame",
    )
    conv_norm: str = option("group", "group: norm after the first convolution, over the chunk; layer: after each one")
    conv_bias: bool = option(False, "Convolutions have offsets")
    dim: int = option(768, "Dimension of the transformer")
    num_layers: int = option(12, "Number of its layers")
    num_heads: int = option(12, "Number of attention heads")
    ffn_dim: int = option(3072, "Dimension inside its feed-forward parts")
    position_kernel: int = option(128, "Positions that the convolution before it sees, in place of their numbers")
    position_groups: int = option(16, "Groups of channels of that convolution")
    layer_norm_first: bool = option(False, "Layer norm before attention and feed-forward parts instead of after them")
    dropout: float = option(0.1, "Share of activations that are set to zero in training")
    layer_drop: float = option(0.0, "Share of layers that are left out in training")
    weights: str = option(
        "", "Start from these: the state_dict() of a Wav2Vec2Model of torchaudio, saved by torch.save"
    )
    freeze_convolutions: bool = option(False, "Leave the convolutions over samples as they are at the start")
    prefinal_dim: int = option(0, "Dimension of the layer before the output layer; 0: none")
    left_context: int = option(40, "Input frames before the first output frame's, to be attended to; at least so many")
    right_context: int = option(40, "Input frames after the last output frame's, likewise")

    def shape(self) -> Wav2vec2Shape:
        """Raises KaldiError for options that make no network."""
        if self.conv_norm not in NORMS:
            raise KaldiError(f"--conv-norm={self.conv_norm} must be one of {', '.join(NORMS)}")
        at_least_one(self, "dim", "num_layers", "num_heads", "ffn_dim", "position_kernel", "position_groups")
        if self.dim % self.num_heads or self.dim % self.position_groups:
            raise KaldiError(
                f"--dim={self.dim} must be a multiple of --num-heads={self.num_heads} and of "
                f"--position-groups={self.position_groups}"
            )
        if not 0.0 <= self.layer_drop < 1.0:
            raise KaldiError(f"--layer-drop={self.layer_drop:g} must be at least 0 and less than 1")
        if min(self.left_context, self.right_context) < 0:
            raise KaldiError("--left-context and --right-context must not be negative")
        return Wav2vec2Shape(
            _convolutions(self.conv_layers),
            self.conv_norm == "layer",
            self.conv_bias,
            self.dim,
            self.num_layers,
            self.num_heads,
            self.ffn_dim,
            self.position_kernel,
            self.position_groups,
            self.layer_norm_first,
            self.dropout,
            self.layer_drop,
        )


class Wav2vec2(Encoder):
    """Outputs depend on the whole chunk.

    Attributes:
        first: the position of the first output frame.
        step: positions from one output frame to the next.
    """

    def __init__(self, frame_samples: int, factor: int, options: Wav2vec2Options) -> None:
        """``frame_samples``: of an input frame. Raises KaldiError for options that make no network."""
        super().__init__()
        shape = options.shape()
        stride, field = shape.stride_and_field()
        if factor * frame_samples % stride:
            raise KaldiError(
                f"--conv-layers='{options.conv_layers}' step {stride} samples, which do not divide the "
                f"{factor * frame_samples} of an output frame ({factor} input frames of {frame_samples} each): choose "
                "other strides"
            )
        self.output_dim, self.frame_subsampling_factor, self.chunk_invariant = options.dim, factor, False
        self.step, self.full_scale = factor * frame_samples // stride, FULL_SCALE
        # Twice the middles of frame c, (c + 1/2) d, and of position p, p s + r / 2, are whole numbers.
        self.left_context = max(options.left_context, -(-(field - stride - frame_samples) // (2 * frame_samples)))
        self.first = ((2 * self.left_context + 1) * frame_samples - field + stride) // (2 * stride)
        frames = -(-(self.first * stride + field) // frame_samples)  # that the first output frame needs
        self.right_context = max(options.right_context, frames - 1 - self.left_context)
        self.network = Wav2vec2Network(shape)
        if options.weights:
            load_weights(self.network, options.weights)
        if options.freeze_convolutions:
            self.network.feature_extractor.requires_grad_(False)

    def forward(self, features: Tensor) -> Tensor:
        count = (features.size(1) - 1 - self.left_context - self.right_context) // self.frame_subsampling_factor + 1
        hidden = self.network(features.flatten(1) / self.full_scale)
        return hidden[:, self.first : self.first + (count - 1) * self.step + 1 : self.step]


def _convolutions(text: str) -> tuple[tuple[int, int, int], ...]:
    """Raises KaldiError for anything else than three positive numbers a layer."""
    layers = []
    for word in words(text):
        numbers = whole_numbers("--conv-layers", word, separator=":")
        if len(numbers) != 3:
            raise KaldiError(f"--conv-layers='{text}': {word} is not channels:kernel:stride")
        layers.append((numbers[0], numbers[1], numbers[2]))
    if not layers:
        raise KaldiError("--conv-layers: at least one channels:kernel:stride is needed")
    return tuple(layers)


def load_weights(network: Wav2vec2Network, path: str) -> None:
    """Those of a file; nothing in it is executed.

    Raises KaldiError where it cannot be read, or is not of a network of this shape.
    """
    try:
        with open(path, "rb") as file:
            state = load_tensors(file, path)
    except OSError as error:
        raise KaldiError(f"cannot read {path}: {error.strerror}") from None
    try:
        network.load(state)
    except (AttributeError, TypeError, RuntimeError) as error:
        reasons = [line for line in map(strip, str(error).split("\n")) if line]
        raise KaldiError(f"{path} has not the weights of this model: {' '.join(reasons[-2:])[:SHOWN]}") from None


@MODELS.add("wav2vec2", Wav2vec2Options)
def make_wav2vec2(options: Wav2vec2Options, dimensions: Dimensions) -> EncoderModel:
    """Raises KaldiError for options that make no network."""
    if dimensions.ivector_dim:
        raise KaldiError("model wav2vec2 takes no i-vectors: its features are samples")
    encoder = Wav2vec2(dimensions.feature_dim, dimensions.frame_subsampling_factor, options)
    return EncoderModel(encoder, dimensions, options.prefinal_dim)
