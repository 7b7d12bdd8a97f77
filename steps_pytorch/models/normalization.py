"""Normalization of the channels of convolutions, by name.

``layer`` normalizes each frame on its own, so that an output depends on no frames outside of its context; ``batch``
likewise in eval mode. ``instance`` normalizes each channel over the chunk, so that outputs depend on how an utterance
is cut.
"""

import torch
from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError

OVER_CHUNK = "instance"
KINDS = ("none", "batch", "layer", OVER_CHUNK)


class Norm(nn.Module):
    """[N, C, T] or [N, C, T, F]: mean 0 and variance 1 before a scale and an offset per channel.

    Args:
        over_chunk: of each channel, over all frames; else of each frame, over all channels. (PyTorch's instance norm
            refuses chunks of one frame.)
    """

    def __init__(self, channels: int, over_chunk: bool, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.axis = 2 if over_chunk else 1
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        dims, shape = [self.axis], [-1, 1]
        if x.dim() == 4:
            dims, shape = [self.axis, 3], [-1, 1, 1]
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
    if kind in ("layer", OVER_CHUNK):
        return Norm(channels, over_chunk=kind == OVER_CHUNK)
    raise KaldiError(f"--norm={kind} must be one of {', '.join(KINDS)}")
