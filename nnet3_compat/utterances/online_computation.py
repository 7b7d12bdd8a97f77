"""Network outputs of an utterance while its features come in, a chunk at a time.

What Kaldi's looped computation gives (nnet3/decodable-online-looped.cc), without its loop: a feed-forward network sees
each chunk with its context, a recurrent one all since the utterance began, which costs more the longer that is. An
i-vector is used for ``frames_per_chunk`` frames of input, also where those are the context of a later chunk.

A TorchScript archive computes each chunk as nnet3-compute does, with one i-vector for all that the chunk sees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.ivector_period import with_ivector_period
from nnet3_compat.model.model_file import Model as AnyModel
from nnet3_compat.network.inference import Inference
from nnet3_compat.network.network import Network
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.structure.request import Request
from nnet3_compat.utterances.chunking import round_chunk_size
from nnet3_compat.utterances.computation import Model
from nnet3_compat.utterances.computation_options import SimpleComputationOptions
from nnet3_compat.utterances.loading import NetworkModel, as_model, priors_of
from nnet3_compat.utterances.looped_options import LoopedOptions


class _Chunks(Protocol):
    """Computes chunk after chunk.

    ``first_input(chunk)``: the first frame of input that this chunk and later ones need, negative for repeated ones.
    The call takes input from that frame on [frames, dim] and the i-vectors of all chunks so far; gives [outputs, pdfs].
    """

    def first_input(self, chunk: int) -> int: ...

    def num_inputs(self, chunk: int, num_outputs: int) -> int: ...

    def __call__(self, features: Tensor, ivectors: list[np.ndarray], chunk: int, num_outputs: int) -> Tensor: ...


class _Looped:
    """Chunks of an nnet3 network."""

    def __init__(self, model: NetworkModel, nnet: Nnet, size: int, extra_left: int) -> None:
        self._size, self._factor = size, model.frame_subsampling_factor
        self._left, self._right = model.left_context, model.right_context
        self._from_start = not model.chunk_invariant(size // self._factor)
        if self._from_start:
            self._left += extra_left
        self._network, self._inference = model.network, model.inference
        if model.ivector_dim:
            self._network = Network.from_nnet(with_ivector_period(nnet, size)).eval()
            self._inference = Inference(self._network.graph(), self._network.executor())

    def _origin(self, chunk: int) -> int:
        """The first frame of input that an output is computed for."""
        return 0 if self._from_start else chunk * self._size

    def first_input(self, chunk: int) -> int:
        return self._origin(chunk) - self._left

    def num_inputs(self, chunk: int, num_outputs: int) -> int:
        last = chunk * self._size + (num_outputs - 1) * self._factor + self._right
        return last + 1 - self.first_input(chunk)

    def __call__(self, features: Tensor, ivectors: list[np.ndarray], chunk: int, num_outputs: int) -> Tensor:
        network, size = self._network, self._size
        every = num_outputs + (chunk * size - self._origin(chunk)) // self._factor
        first, rows, ivector = 0, 1, None
        if network.ivector_dim:
            first, last = -self._left // size, (len(features) - 1 - self._left) // size
            known = (size + self._right - 1) // size  # the last row that the first chunk already has
            numbers = np.arange(first, last + 1) + self._origin(chunk) // size - known
            ivector = torch.from_numpy(np.stack([ivectors[max(number, 0)] for number in numbers.tolist()])).unsqueeze(0)
            rows = len(numbers)
        inputs = network.check_inputs(features.unsqueeze(0), ivector)
        request = Request(
            every,
            self._left,
            self._right,
            self._factor,
            ivector_rows=rows,
            ivector_period=size,
            ivector_start=first * size,
        )
        names = network.executor().input_names
        made = self._inference([inputs[name] for name in names], network.layout(request))[0]
        return made[every - num_outputs :, 0]


class _Separate:
    """Chunks of any other model."""

    def __init__(self, model: Model, size: int, extra_left: int) -> None:
        self._model, self._size = model, size
        whole = model.chunk_invariant(size // model.frame_subsampling_factor)
        self._initial_left = model.left_context + (0 if whole else extra_left)

    def _left(self, chunk: int) -> int:
        return self._model.left_context if chunk else self._initial_left

    def first_input(self, chunk: int) -> int:
        return chunk * self._size - self._left(chunk)

    def num_inputs(self, chunk: int, num_outputs: int) -> int:
        factor = self._model.frame_subsampling_factor
        return self._left(chunk) + (num_outputs - 1) * factor + 1 + self._model.right_context

    def __call__(self, features: Tensor, ivectors: list[np.ndarray], chunk: int, num_outputs: int) -> Tensor:
        ivector = torch.from_numpy(ivectors[-1]).unsqueeze(0) if self._model.ivector_dim else None
        return self._model(features.unsqueeze(0), ivector, self._left(chunk), num_outputs)[0]


class OnlineComputer:
    """What is shared by all utterances: ``computer.start()`` for each one.

    Attributes:
        chunk_size: frames of input from one chunk to the next.
    Raises:
        KaldiError: options out of range, or they do not fit the model.
    """

    def __init__(self, model: AnyModel, options: LoopedOptions, name: str = "model") -> None:
        if options.extra_left_context_initial < 0:
            raise KaldiError("--extra-left-context-initial must not be negative")
        loaded = as_model(model, options.frame_subsampling_factor, torch.device("cpu"), name)
        if loaded.frame_subsampling_factor != options.frame_subsampling_factor:
            raise KaldiError(
                f"{name} gives an output every {loaded.frame_subsampling_factor} frames, but "
                f"--frame-subsampling-factor={options.frame_subsampling_factor}"
            )
        self.model, self.options = loaded, options
        chunks = SimpleComputationOptions(
            frames_per_chunk=options.frames_per_chunk, frame_subsampling_factor=options.frame_subsampling_factor
        )
        self.chunk_size = round_chunk_size(chunks, loaded.modulus)
        self.chunks: _Chunks
        if isinstance(loaded, NetworkModel):
            nnet = model.nnet if isinstance(model, AmNnet) else model
            assert isinstance(nnet, Nnet)
            self.chunks = _Looped(loaded, nnet, self.chunk_size, options.extra_left_context_initial)
        else:
            self.chunks = _Separate(loaded, self.chunk_size, options.extra_left_context_initial)
        priors = priors_of(model, loaded)
        has_priors = priors is not None and len(priors) > 0
        self.log_priors = torch.log(torch.from_numpy(np.array(priors, np.float32))) if has_priors else None

    def start(self) -> OnlineOutputs:
        """A new utterance."""
        return OnlineOutputs(self)


class OnlineOutputs:
    """The outputs of one utterance."""

    def __init__(self, computer: OnlineComputer) -> None:
        self._computer = computer
        self._features = np.zeros((0, computer.model.input_dim), np.float32)  # from `_first` on
        self._first = self._chunk = 0
        self._ivectors: list[np.ndarray] = []

    def extend(self, features: np.ndarray, last: bool, ivector: Callable[[], np.ndarray] | None) -> np.ndarray:
        """Outputs [frames, pdfs] that have become computable, scaled; after the ``last`` features, all that remain.

        Args:
            features: float32 [frames, dim], the next ones.
            ivector: called for each chunk, gives the newest i-vector, float32 [dim]; None: there are none.
        Raises:
            KaldiError: dimensions other than the model's.
        """
        computer, model = self._computer, self._computer.model
        if features.shape[1] != model.input_dim:
            raise KaldiError(
                f"Input feature dimension mismatch: got {features.shape[1]} but network expects {model.input_dim}"
            )
        if (ivector is None) != (model.ivector_dim == 0):
            raise KaldiError(
                f"the network expects i-vectors of dimension {model.ivector_dim}, but "
                + ("none are extracted: give --ivector-extraction-config" if ivector is None else "some are extracted")
            )
        self._features = np.concatenate([self._features, features])
        size, factor = computer.chunk_size, model.frame_subsampling_factor
        made = []
        while True:
            begin, total = self._chunk * size, self._first + len(self._features)
            if not last and begin + size + model.right_context > total:
                break
            num_outputs = min(size // factor, -(-(total - begin) // factor))
            if num_outputs <= 0:
                break
            if ivector is not None:
                self._take_ivector(ivector())
            made.append(self._compute(num_outputs))
            self._chunk += 1
        keep = max(computer.chunks.first_input(self._chunk), self._first)
        if keep < self._first + len(self._features):
            self._features, self._first = self._features[keep - self._first :], keep
        return np.concatenate(made) if made else np.zeros((0, model.output_dim), np.float32)

    def _take_ivector(self, ivector: np.ndarray) -> None:
        if len(ivector) != self._computer.model.ivector_dim:
            raise KaldiError(
                f"Ivector feature dimension mismatch: got {len(ivector)} but network expects "
                f"{self._computer.model.ivector_dim}"
            )
        self._ivectors.append(ivector.astype(np.float32))

    def _compute(self, num_outputs: int) -> np.ndarray:
        computer, chunk = self._computer, self._chunk
        first = computer.chunks.first_input(chunk)
        at = np.arange(first, first + computer.chunks.num_inputs(chunk, num_outputs))
        rows = np.clip(at - self._first, 0, len(self._features) - 1)
        with torch.inference_mode():
            features = torch.from_numpy(self._features[rows])
            out = computer.chunks(features, self._ivectors, chunk, num_outputs)
            if computer.log_priors is not None:
                out = out - computer.log_priors
            return (out * computer.options.acoustic_scale).numpy()
