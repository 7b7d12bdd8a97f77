"""What training and decoding know of a model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import NamedTuple

import numpy as np
from torch import Tensor, nn

from kaldi_bridge.hmm.transition_model import TransitionModel
from steps_pytorch.trainable import Trainable


class ModelOutput(NamedTuple):
    """``output`` [sequences, frames, pdfs]: unnormalized log-likelihoods (chain) or logits; ``xent``, the same shape:
    log-probabilities of a second branch for the cross-entropy regularizer, None where there is none or in eval()."""

    output: Tensor
    xent: Tensor | None = None


class Model(Trainable):
    """Attributes:
    feature_dim, ivector_dim (0: takes none), num_pdfs.
    left_context, right_context: input frames before the first output frame's and after the last one's.
    frame_subsampling_factor: input frames per output frame.
    """

    feature_dim: int
    ivector_dim: int = 0
    num_pdfs: int
    left_context: int
    right_context: int
    frame_subsampling_factor: int = 1

    def frames_in(self, num_outputs: int) -> int:
        """Input frames, with context, for so many output frames."""
        return (num_outputs - 1) * self.frame_subsampling_factor + 1 + self.left_context + self.right_context

    def num_outputs(self, frames_in: int) -> int:
        """Output frames of so many input frames, context included."""
        return (frames_in - 1 - self.left_context - self.right_context) // self.frame_subsampling_factor + 1

    def forward(self, features: Tensor, ivectors: Tensor | None = None) -> ModelOutput:
        """``features``: [sequences, frames_in(n), feature_dim], ``ivectors``: [sequences, ivector_dim]; n is free."""
        raise NotImplementedError

    def watched(self) -> AbstractContextManager[None]:
        """In eval mode: gradients of what is computed within are seen by an optimizer that watches training mode."""
        return nullcontext()

    def after_update(self) -> None:
        """What is to be done after each step of one of PyTorch's optimizers."""

    def dropouts(self) -> dict[str, Callable[[float], None]]:
        """What sets the dropout proportion of each part that has one, by its name."""
        found: dict[str, Callable[[float], None]] = {}
        for name, module in self.named_modules():
            if isinstance(module, nn.Dropout):
                found[name] = partial(setattr, module, "p")
            elif isinstance(module, nn.LSTM) and module.num_layers > 1:
                found[name] = partial(setattr, module, "dropout")
        return found

    def parameters_of_layers(self) -> dict[str, dict[nn.Parameter, float]]:
        """Parameters by the name of their layer, each with the learning-rate factor that the model has for it."""
        found = {}
        for name, module in self.named_modules():
            own = dict.fromkeys(module.parameters(recurse=False), 1.0)
            if own:
                found[name] = own
        return found

    def write_mdl(self, wxfilename: str, transition_model: TransitionModel, priors: np.ndarray | None = None) -> None:
        """Writes the ``.mdl`` that decodes. ``priors``: [num_pdfs], what decoding divides by.

        Raises:
            KaldiError: the transition model has another number of pdfs.
        """
        raise NotImplementedError
