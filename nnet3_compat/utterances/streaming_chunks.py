"""Chunks of a model that was exported to be computed chunk by chunk, with what is carried from one to the next."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import torch

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from nnet3_compat.export.torch_model import TorchModel
from nnet3_compat.utterances.looped_options import LoopedOptions


class StreamingChunks:
    """A ChunkNetwork (online_computation.py); the last chunk of an utterance is as long as all others.

    Attributes:
        priors: [pdfs] that came with the archive; None: none did.

    Raises:
        KaldiError: the archive does not fit the options.
    """

    def __init__(self, model: TorchModel, options: LoopedOptions, name: str) -> None:
        d = model.description
        if d.frame_subsampling_factor != options.frame_subsampling_factor:
            raise KaldiError(
                f"{name} gives an output every {d.frame_subsampling_factor} frames, but "
                f"--frame-subsampling-factor={options.frame_subsampling_factor}"
            )
        if options.extra_left_context_initial:
            raise KaldiError(f"{name} has its left context fixed: --extra-left-context-initial does not go with it")
        if options.frames_per_chunk != d.chunk_frames:
            log.info(f"Computing chunks of {d.chunk_frames} frames, for which {name} was made")
        self._streaming, self._left, self._name = model.module, d.left_context, name
        self._kinds = len(d.states)
        self.size, self.factor, self.right_context = d.chunk_frames, d.frame_subsampling_factor, d.right_context
        self.input_dim, self.ivector_dim, self.output_dim = d.input_dim, d.ivector_dim, d.output_dim
        self.priors: np.ndarray | None = model.priors

    def first_input(self, chunk: int) -> int:
        return chunk * self.size + self.right_context if chunk else -self._left

    def num_inputs(self, chunk: int, num_outputs: int) -> int:
        return self.size if chunk else self._left + self.size + self.right_context

    def kind(self, chunk: int, num_outputs: int) -> Hashable:
        return min(chunk, self._kinds - 1)

    def begin(self) -> Any:
        """No states: the first chunk takes none."""
        return []

    def __call__(
        self, features: np.ndarray, ivectors: np.ndarray | None, chunk: int, num_outputs: int, carried: list[Any]
    ) -> tuple[np.ndarray, list[Any]]:
        with torch.inference_mode():
            states = [torch.cat(each) for each in zip(*carried, strict=True)]
            given = None if ivectors is None else torch.from_numpy(ivectors)
            made, after = self._streaming.compute(chunk, torch.from_numpy(features), given, states)
            if made.shape[1] != self.size // self.factor:
                raise KaldiError(
                    f"{self._name} gives {made.shape[1]} outputs of a chunk; {self.size // self.factor} would be as it "
                    "says: its description is not its own"
                )
            return made.numpy(), [[x[n : n + 1] for x in after] for n in range(len(features))]
