"""Normalization of the channels of convolutions, by name.

``layer`` normalizes each frame on its own, so that an output depends on no frames outside of its context; ``batch``
likewise in eval mode. Normalizing over a chunk (instance norm, group norm) would make outputs depend on how an
utterance is cut.
"""

import torch
from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError

KINDS = ("none", "batch", "layer")


class FrameNorm(nn.Module):
    """[N, C, T] or [N, C, T, F]: each frame has mean 0 and variance 1 before a scale and an offset per channel."""

    def __init__(self, channels: int, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        dims, shape = [1], [-1, 1]
        if x.dim() == 4:
            dims, shape = [1, 3], [-1, 1, 1]
        variance, mean = torch.var_mean(x, dims, correction=0, keepdim=True)
        normalized = (x - mean) * torch.rsqrt(variance + self.epsilon)
        return normalized * self.weight.view(shape) + self.bias.view(shape)


def normalization(kind: str, channels: int, axes: int) -> nn.Module:
    """For [N, channels, T] (``axes`` 1: time) or [N, channels, T, F] (2: and frequency).

    Raises KaldiError for a name that is none of KINDS.
    """
    if kind == "none":
        return nn.Identity()
    if kind == "batch":
        return nn.BatchNorm1d(channels) if axes == 1 else nn.BatchNorm2d(channels)
    if kind == "layer":
        return FrameNorm(channels)
    raise KaldiError(f"--norm={kind} must be one of {', '.join(KINDS)}")
