"""The network of wav2vec 2.0: convolutions over samples, and a transformer over what these give.

Parameters have the names that torchaudio.models.Wav2Vec2Model gives them; they are those of its pipelines.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

OLD_NAMES = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}


@dataclass(frozen=True)
class Wav2vec2Shape:
    """Attributes:
    convolutions: channels, kernel and stride of each.
    norm_each: layer norm after each convolution, else group norm after the first: of each channel, over the chunk.
    conv_bias: convolutions have offsets.
    dim, num_layers, num_heads, ffn_dim: of the transformer.
    position_kernel, position_groups: of the convolution that stands for positions.
    layer_norm_first: before attention and feed-forward parts and at the end, else after them and at the beginning.
    dropout, layer_drop: shares of activations and of layers that are left out in training.
    """

    convolutions: tuple[tuple[int, int, int], ...]
    norm_each: bool
    conv_bias: bool
    dim: int
    num_layers: int
    num_heads: int
    ffn_dim: int
    position_kernel: int
    position_groups: int
    layer_norm_first: bool
    dropout: float = 0.0
    layer_drop: float = 0.0

    def stride_and_field(self) -> tuple[int, int]:
        """Samples from one position to the next, and samples that a position's convolutions see."""
        stride = field = 1
        for _, kernel, step in self.convolutions:
            field += (kernel - 1) * stride
            stride *= step
        return stride, field


class Wav2vec2Network(nn.Module):
    """Samples [N, T] -> [N, (T - field) // stride + 1, dim]."""

    def __init__(self, shape: Wav2vec2Shape) -> None:
        super().__init__()
        self.feature_extractor = FeatureExtractor(shape)
        self.encoder = TransformerEncoder(shape)

    def forward(self, samples: Tensor) -> Tensor:
        return self.encoder(self.feature_extractor(samples))

    def load(self, state: dict[str, Tensor]) -> None:
        """Takes a state dict of torchaudio's model, old or new, but not its layer of outputs, ``aux``.

        Raises:
            RuntimeError: it is of another shape.
        """
        taken = {}
        for name, value in state.items():
            if not name.startswith("aux."):
                for new, old in OLD_NAMES.items():
                    name = name.replace(new, old)
                taken[name] = value
        self.load_state_dict(taken)


class FeatureExtractor(nn.Module):
    """[N, T] -> [N, positions, channels]."""

    def __init__(self, shape: Wav2vec2Shape) -> None:
        super().__init__()
        layers, before = [], 1
        for number, (channels, kernel, stride) in enumerate(shape.convolutions):
            norm: nn.Module | None = None
            if shape.norm_each:
                norm = ChannelNorm(channels)
            elif number == 0:
                norm = nn.GroupNorm(channels, channels)
            layers.append(ConvolutionLayer(nn.Conv1d(before, channels, kernel, stride, bias=shape.conv_bias), norm))
            before = channels
        self.conv_layers = nn.Sequential(*layers)

    def forward(self, samples: Tensor) -> Tensor:
        return self.conv_layers(samples.unsqueeze(1)).transpose(1, 2)


class ConvolutionLayer(nn.Module):
    """[N, C, T] -> [N, C', T']."""

    def __init__(self, conv: nn.Conv1d, layer_norm: nn.Module | None) -> None:
        super().__init__()
        self.conv, self.layer_norm = conv, layer_norm

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        if self.layer_norm is not None:
            x = self.layer_norm(x)
        return functional.gelu(x)


class ChannelNorm(nn.LayerNorm):
    """[N, C, T], normalized over C."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.layer_norm(
            x.transpose(1, 2), self.normalized_shape, self.weight, self.bias, self.eps
        ).transpose(1, 2)


class TransformerEncoder(nn.Module):
    """[N, positions, channels] -> [N, positions, dim]."""

    def __init__(self, shape: Wav2vec2Shape) -> None:
        super().__init__()
        self.feature_projection = Projection(shape)
        self.transformer = Transformer(shape)

    def forward(self, x: Tensor) -> Tensor:
        return self.transformer(self.feature_projection(x))


class Projection(nn.Module):
    """[N, positions, channels] -> [N, positions, dim]."""

    def __init__(self, shape: Wav2vec2Shape) -> None:
        super().__init__()
        channels = shape.convolutions[-1][0]
        self.layer_norm = nn.LayerNorm(channels)
        self.projection = nn.Linear(channels, shape.dim)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.projection(self.layer_norm(x)))


class Transformer(nn.Module):
    """Positions, then the layers, each of which is left out in training with a probability."""

    def __init__(self, shape: Wav2vec2Shape) -> None:
        super().__init__()
        self.pos_conv_embed = Positions(shape)
        self.layer_norm = nn.LayerNorm(shape.dim)
        self.dropout = nn.Dropout(shape.dropout)
        self.layers = nn.ModuleList([TransformerLayer(shape) for _ in range(shape.num_layers)])
        self.layer_norm_first, self.layer_drop = shape.layer_norm_first, shape.layer_drop

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.pos_conv_embed(x)
        if not self.layer_norm_first:
            x = self.layer_norm(x)
        x = self.dropout(x)
        for layer in self.layers:
            if not self.training or self.layer_drop == 0.0 or float(torch.rand(1)) > self.layer_drop:
                x = layer(x)
        return self.layer_norm(x) if self.layer_norm_first else x


class Positions(nn.Module):
    """A wide convolution of groups of channels, in place of numbers of positions."""

    def __init__(self, shape: Wav2vec2Shape) -> None:
        super().__init__()
        self.conv = WeightNormConvolution(shape.dim, shape.position_kernel, shape.position_groups)
        self.even = shape.position_kernel % 2 == 0

    def forward(self, x: Tensor) -> Tensor:
        made = self.conv(x.transpose(1, 2))
        if self.even:  # padded by half a kernel on both sides, that is one position too many
            made = made[:, :, :-1]
        return functional.gelu(made).transpose(1, 2)


class WeightNormConvolution(nn.Module):
    """With kernels w = g v / |v|, one norm for each of their positions; [N, dim, T] -> [N, dim, T or T + 1].

    T. Salimans, D. P. Kingma, "Weight normalization", NeurIPS 2016. PyTorch's own cannot be scripted.
    """

    def __init__(self, dim: int, kernel: int, groups: int) -> None:
        super().__init__()
        start = nn.Conv1d(dim, dim, kernel, groups=groups)
        assert start.bias is not None
        self.weight_g = nn.Parameter(torch.linalg.vector_norm(start.weight.detach(), dim=(0, 1), keepdim=True))
        self.weight_v = nn.Parameter(start.weight.detach().clone())
        self.bias = nn.Parameter(start.bias.detach().clone())
        self.padding, self.groups = kernel // 2, groups

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight_v * (self.weight_g / torch.linalg.vector_norm(self.weight_v, dim=[0, 1], keepdim=True))
        return functional.conv1d(x, weight, self.bias, padding=self.padding, groups=self.groups)


class TransformerLayer(nn.Module):
    """[N, T, dim] -> the same."""

    def __init__(self, shape: Wav2vec2Shape) -> None:
        super().__init__()
        self.attention = Attention(shape)
        self.dropout = nn.Dropout(shape.dropout)
        self.layer_norm = nn.LayerNorm(shape.dim)
        self.feed_forward = FeedForward(shape)
        self.final_layer_norm = nn.LayerNorm(shape.dim)
        self.layer_norm_first = shape.layer_norm_first

    def forward(self, x: Tensor) -> Tensor:
        if self.layer_norm_first:
            x = x + self.dropout(self.attention(self.layer_norm(x)))
            return x + self.feed_forward(self.final_layer_norm(x))
        x = self.layer_norm(x + self.dropout(self.attention(x)))
        return self.final_layer_norm(x + self.feed_forward(x))


class Attention(nn.Module):
    """Each position to all of the chunk."""

    def __init__(self, shape: Wav2vec2Shape) -> None:
        super().__init__()
        self.heads, self.share = shape.num_heads, shape.dropout
        self.k_proj, self.v_proj = nn.Linear(shape.dim, shape.dim), nn.Linear(shape.dim, shape.dim)
        self.q_proj, self.out_proj = nn.Linear(shape.dim, shape.dim), nn.Linear(shape.dim, shape.dim)

    def forward(self, x: Tensor) -> Tensor:
        split = [x.size(0), x.size(1), self.heads, -1]
        queries = self.q_proj(x).view(split).transpose(1, 2)
        keys = self.k_proj(x).view(split).transpose(1, 2)
        values = self.v_proj(x).view(split).transpose(1, 2)
        share = self.share if self.training else 0.0
        attended = functional.scaled_dot_product_attention(queries, keys, values, dropout_p=share)
        return self.out_proj(attended.transpose(1, 2).reshape(x.size()))


class FeedForward(nn.Module):
    """Each position on its own."""

    def __init__(self, shape: Wav2vec2Shape) -> None:
        super().__init__()
        self.intermediate_dense = nn.Linear(shape.dim, shape.ffn_dim)
        self.intermediate_dropout = nn.Dropout(shape.dropout)
        self.output_dense = nn.Linear(shape.ffn_dim, shape.dim)
        self.output_dropout = nn.Dropout(shape.dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.intermediate_dropout(functional.gelu(self.intermediate_dense(x)))
        return self.output_dropout(self.output_dense(x))
