"""What residual networks share: context, and shortcuts that fit convolutions without padding.

A deep residual network sees far: 51 frames to each side for WideResNet-28. By default it is given them all, pads
nothing in time, and an output depends on its context alone, however an utterance is cut. With less context, as
chunks of a few frames need, every convolution sees zeros beyond the chunk.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from steps_pytorch.models.encoder import Encoder


@dataclass
class ContextOptions:
    """How much context a convolutional model sees."""

    left_context: int = option(
        -1, "Frames before the first output frame's: -1 for all that the network sees; of fewer, zeros are seen beyond"
    )
    right_context: int = option(-1, "Frames after the last output frame's, likewise; both or none must be -1")


class ResidualEncoder(Encoder):
    """Attributes:
    padded: whether convolutions pad with zeros in time, for less context than they see.
    """

    padded: bool

    def set_context(self, reach: int, options: ContextOptions) -> None:
        """``reach``: frames that the network sees to each side. Raises KaldiError for contexts that do not do."""
        left, right, factor = options.left_context, options.right_context, self.frame_subsampling_factor
        self.padded = (left, right) != (-1, -1)
        if not self.padded:
            left = right = reach
        elif min(left, right) < 0 or left % factor:
            raise KaldiError(
                f"--left-context={left} --right-context={right}: give both, the left one a multiple of {factor}"
            )
        self.left_context, self.right_context = left, right
        self.chunk_invariant = not self.padded

    def outputs(self, hidden: Tensor, num_frames: int) -> Tensor:
        """Of the frames (axis 2) that padded convolutions make of ``num_frames``, those that the context is for."""
        if not self.padded:
            return hidden
        start = self.left_context // self.frame_subsampling_factor
        n = (num_frames - 1 - self.left_context - self.right_context) // self.frame_subsampling_factor + 1
        return hidden[:, :, start : start + n]


class Residual(nn.Module):
    """``main`` plus a shortcut, on [N, C, T] or [N, C, T, F]; ``crop``: frames that main loses at each end."""

    def __init__(self, main: nn.Module, shortcut: nn.Module, crop: int) -> None:
        super().__init__()
        self.main, self.shortcut, self.crop = main, shortcut, crop

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x) + self.shortcut(x[:, :, self.crop : x.size(2) - self.crop])
