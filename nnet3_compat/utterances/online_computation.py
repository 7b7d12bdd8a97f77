"""Network outputs of utterances while their features come in, a chunk at a time.

An nnet3 network computes each frame once and carries over what later chunks read, as Kaldi's looped computation does
(nnet3/decodable-online-looped.cc). An i-vector is used for ``frames_per_chunk`` frames of input, also where those are
the context of a later chunk.

A TorchScript archive computes each chunk as nnet3-compute does, with one i-vector for all that the chunk sees; one that
was exported for streaming computes as Kaldi's looped computation.

    outputs = computer.start()                                # of an utterance
    made = outputs.extend(features, last, newest_ivector)     # [frames, pdfs], what has become computable

or, where chunks of several utterances shall go through the network together:

    made = computer.compute([*one.chunks(...), *other.chunks(...)])
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from nnet3_compat.folded.looped import FoldedLoopedNetwork, LoopedPlan
from nnet3_compat.folded.outer_maps import with_outer_maps
from nnet3_compat.folded.precision import expect_float32
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.model_file import Archive
from nnet3_compat.model.model_file import Model as AnyModel
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.utterances.looped_options import LoopedOptions


@dataclass
class _Utterance:
    """What the last chunk of an utterance that was computed leaves for the next one."""

    carried: Any


@dataclass(frozen=True)
class Chunk:
    """What is to be computed next for an utterance.

    Attributes:
        number: of the chunk in its utterance.
        num_outputs: of the outputs that are made, the first ones, which are wanted.
        features: float32 [frames, dim], all that it sees.
        ivector: float32 [dim]; None where the network takes none.
    """

    utterance: _Utterance
    number: int
    num_outputs: int
    features: np.ndarray
    ivector: np.ndarray | None


class _Looped(Protocol):
    """See folded.looped.FoldedLoopedNetwork."""

    def begin(self) -> Any: ...

    def __call__(
        self, features: np.ndarray, ivectors: np.ndarray | None, chunk: int, carried: list[Any]
    ) -> tuple[np.ndarray, list[Any]]: ...


class ChunkNetwork(Protocol):
    """Computes chunks.

    ``first_input(chunk)``: the first frame of input that this chunk and later ones need, negative for repeated ones.
    ``kind(chunk, num_outputs)``: chunks of one kind can be computed together.
    ``begin()``: what an utterance carries before its first chunk.
    The call takes ``num_inputs`` frames of features [N, T, D], i-vectors [N, K] and what the chunks before left, of N
    chunks of one kind; gives [N, outputs, pdfs], at least as many as asked for, and what they leave for the next ones.
    """

    input_dim: int
    ivector_dim: int
    output_dim: int
    size: int
    factor: int
    right_context: int

    def first_input(self, chunk: int) -> int: ...

    def num_inputs(self, chunk: int, num_outputs: int) -> int: ...

    def kind(self, chunk: int, num_outputs: int) -> Hashable: ...

    def begin(self) -> Any: ...

    def __call__(
        self, features: np.ndarray, ivectors: np.ndarray | None, chunk: int, num_outputs: int, carried: list[Any]
    ) -> tuple[np.ndarray, list[Any]]: ...


class LoopedChunks:
    """An nnet3 network; the last chunk of an utterance is as long as all others."""

    def __init__(self, plan: LoopedPlan, looped: _Looped) -> None:
        self._plan, self._looped, request = plan, looped, plan.request
        self.input_dim, self.ivector_dim, self.output_dim = plan.input_dim, plan.ivector_dim, plan.output_dim
        self.size, self.factor, self.right_context = request.size, request.factor, request.right

    def first_input(self, chunk: int) -> int:
        return self._plan.request.first_input(chunk)

    def num_inputs(self, chunk: int, num_outputs: int) -> int:
        return self._plan.request.num_inputs(chunk)

    def kind(self, chunk: int, num_outputs: int) -> Hashable:
        return self._plan.kind(chunk)

    def begin(self) -> Any:
        return self._looped.begin()

    def __call__(
        self, features: np.ndarray, ivectors: np.ndarray | None, chunk: int, num_outputs: int, carried: list[Any]
    ) -> tuple[np.ndarray, list[Any]]:
        return self._looped(features, ivectors, chunk, carried)


def looped_chunks(nnet: Nnet, options: LoopedOptions, name: str = "model") -> LoopedChunks:
    """Chunks of a network: without torch where it can be folded. Raises KaldiError where there are none."""
    size, factor = options.frames_per_chunk, options.frame_subsampling_factor
    plan = LoopedPlan.of(with_outer_maps(nnet), size, factor, options.extra_left_context_initial)
    if plan.can_fold:
        return LoopedChunks(plan, FoldedLoopedNetwork(plan, options.precision or nnet.precision))
    expect_float32(options.precision, name, "torch computes this one, which has other components")
    from nnet3_compat.network.looped import LoopedNetwork

    return LoopedChunks(plan, LoopedNetwork(plan))


class OnlineComputer:
    """What is shared by all utterances: ``computer.start()`` for each one.

    Attributes:
        model: how chunks are computed, and the dimensions ``input_dim``, ``ivector_dim`` (0: none), ``output_dim``.
    Raises:
        KaldiError: options out of range, or they do not fit the model.
    """

    def __init__(self, model: AnyModel, options: LoopedOptions, name: str = "model") -> None:
        options.check_chunks()
        self.options = options
        self.model: ChunkNetwork
        if isinstance(model, Archive):
            from nnet3_compat.export.torch_model import TorchModel
            from nnet3_compat.utterances.archive_chunks import ArchiveChunks
            from nnet3_compat.utterances.streaming_chunks import StreamingChunks

            expect_float32(options.precision, name, "this is no nnet3 network")

            loaded = TorchModel.from_archive(model, name)
            chunks = StreamingChunks if loaded.description.chunk_frames else ArchiveChunks
            self.model, priors = chunks(loaded, options, name), loaded.priors
        else:
            start = time.time()
            self.model = looped_chunks(model.nnet if isinstance(model, AmNnet) else model, options, name)
            priors = model.priors if isinstance(model, AmNnet) else None
            log.info(f"Spent {time.time() - start:g} seconds in looped compilation.")
        has_priors = priors is not None and len(priors) > 0
        self._log_priors = options.log_divisors(np.asarray(priors)) if has_priors else None

    def start(self) -> OnlineOutputs:
        """A new utterance."""
        return OnlineOutputs(self)

    def compute(self, chunks: Sequence[Chunk]) -> list[np.ndarray]:
        """The wanted outputs of each chunk, float32 [frames, pdfs], scaled.

        Chunks of different utterances go through the network together where they are of one kind; those of the same
        one are computed in the order in which they are given, which has to be that of their numbers.
        """
        made: list[np.ndarray] = [np.zeros(0)] * len(chunks)
        waiting = list(range(len(chunks)))
        while waiting:
            begun: set[int] = set()
            groups: dict[Hashable, list[int]] = {}
            later = []
            for at in waiting:
                chunk = chunks[at]
                if id(chunk.utterance) in begun:
                    later.append(at)
                    continue
                begun.add(id(chunk.utterance))
                groups.setdefault(self.model.kind(chunk.number, chunk.num_outputs), []).append(at)
            for group in groups.values():
                for at, output in zip(group, self._compute([chunks[at] for at in group]), strict=True):
                    made[at] = output[: chunks[at].num_outputs]
            waiting = later
        return made

    def _compute(self, chunks: list[Chunk]) -> np.ndarray:
        features = np.stack([chunk.features for chunk in chunks])
        rows = [chunk.ivector for chunk in chunks if chunk.ivector is not None]
        carried = [chunk.utterance.carried for chunk in chunks]
        number, num_outputs = chunks[0].number, chunks[0].num_outputs
        out, carried = self.model(features, np.stack(rows) if rows else None, number, num_outputs, carried)
        for chunk, left in zip(chunks, carried, strict=True):
            chunk.utterance.carried = left
        if self._log_priors is not None:
            out = out - self._log_priors
        scale = self.options.acoustic_scale
        return out if scale == 1.0 else out * np.float32(scale)


class OnlineOutputs:
    """The outputs of one utterance."""

    def __init__(self, computer: OnlineComputer) -> None:
        self._computer, self._utterance = computer, _Utterance(computer.model.begin())
        self._features = np.zeros((0, computer.model.input_dim), np.float32)  # from `_first` on
        self._first = self._chunk = 0

    def extend(self, features: np.ndarray, last: bool, ivector: Callable[[], np.ndarray] | None) -> np.ndarray:
        """Outputs [frames, pdfs] that have become computable, scaled; the arguments are those of ``chunks``."""
        made = self._computer.compute(self.chunks(features, last, ivector))
        return np.concatenate(made) if made else np.zeros((0, self._computer.model.output_dim), np.float32)

    def chunks(self, features: np.ndarray, last: bool, ivector: Callable[[], np.ndarray] | None) -> list[Chunk]:
        """The chunks that have become computable; after the ``last`` features, all that remain.

        Args:
            features: float32 [frames, dim], the next ones.
            ivector: called for each chunk, gives the newest i-vector, float32 [dim]; None: there are none.
        Raises:
            KaldiError: dimensions other than the model's.
        """
        model = self._computer.model
        if features.shape[1] != model.input_dim:
            raise KaldiError(
                f"Input feature dimension mismatch: got {features.shape[1]} but network expects {model.input_dim}"
            )
        if (ivector is None) != (model.ivector_dim == 0):
            raise KaldiError(
                f"the network expects i-vectors of dimension {model.ivector_dim}, but "
                + ("none are given (see --help)" if ivector is None else "some are given")
            )
        self._features = np.concatenate([self._features, features])
        found = []
        while True:
            begin, total = self._chunk * model.size, self._first + len(self._features)
            if not last and begin + model.size + model.right_context > total:
                break
            num_outputs = min(model.size // model.factor, -(-(total - begin) // model.factor))
            if num_outputs <= 0:
                break
            found.append(self._next_chunk(num_outputs, None if ivector is None else ivector()))
        first = min(model.first_input(self._chunk), total - 1)  # the last frame stays: it is repeated after the end
        if self._first < first:
            self._features, self._first = self._features[first - self._first :], first
        return found

    def _next_chunk(self, num_outputs: int, ivector: np.ndarray | None) -> Chunk:
        model, number = self._computer.model, self._chunk
        if ivector is not None:
            if len(ivector) != model.ivector_dim:
                raise KaldiError(
                    f"Ivector feature dimension mismatch: got {len(ivector)} but network expects {model.ivector_dim}"
                )
            ivector = ivector.astype(np.float32)
        at = model.first_input(number) + np.arange(model.num_inputs(number, num_outputs))
        features = self._features[np.clip(at - self._first, 0, len(self._features) - 1)]
        self._chunk += 1
        return Chunk(self._utterance, number, num_outputs, features, ivector)
