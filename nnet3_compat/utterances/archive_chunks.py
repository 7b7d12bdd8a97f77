"""Chunks of a TorchScript archive, each of which it sees alone; the last one of an utterance is shorter."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import torch

from kaldi_bridge.errors import KaldiError
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.utterances.chunking import round_chunk_size
from nnet3_compat.utterances.computation_options import SimpleComputationOptions
from nnet3_compat.utterances.looped_options import LoopedOptions


class ArchiveChunks:
    """A ChunkNetwork (online_computation.py).

    Attributes:
        priors: [pdfs] that came with the archive; None: none did.

    Raises:
        KaldiError: the archive cannot be run, or does not fit the options.
    """

    def __init__(self, model: TorchModel, options: LoopedOptions, name: str) -> None:
        factor, self._model = options.frame_subsampling_factor, model
        if model.frame_subsampling_factor != factor:
            raise KaldiError(
                f"{name} gives an output every {model.frame_subsampling_factor} frames, but "
                f"--frame-subsampling-factor={factor}"
            )
        chunks = SimpleComputationOptions(frames_per_chunk=options.frames_per_chunk, frame_subsampling_factor=factor)
        self.size, self.factor = round_chunk_size(chunks, model.modulus), factor
        self.input_dim, self.ivector_dim, self.output_dim = model.input_dim, model.ivector_dim, model.output_dim
        self.right_context = model.right_context
        self.priors: np.ndarray | None = model.priors
        whole = model.chunk_invariant(self.size // factor)
        self._initial_left = model.left_context + (0 if whole else options.extra_left_context_initial)

    def _left(self, chunk: int) -> int:
        return self._model.left_context if chunk else self._initial_left

    def first_input(self, chunk: int) -> int:
        return chunk * self.size - self._left(chunk)

    def num_inputs(self, chunk: int, num_outputs: int) -> int:
        return self._left(chunk) + (num_outputs - 1) * self.factor + 1 + self.right_context

    def kind(self, chunk: int, num_outputs: int) -> Hashable:
        return self._left(chunk), num_outputs

    def begin(self) -> None:
        """Nothing is carried from chunk to chunk."""

    def __call__(
        self, features: np.ndarray, ivectors: np.ndarray | None, chunk: int, num_outputs: int, carried: list[Any]
    ) -> tuple[np.ndarray, list[Any]]:
        with torch.inference_mode():
            given = None if ivectors is None else torch.from_numpy(ivectors)
            made = self._model(torch.from_numpy(features), given, self._left(chunk), num_outputs)
            return made.numpy(), carried
