"""Outputs of whole utterances by looped computation (nnet3/decodable-simple-looped.cc)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from kaldi_bridge.errors import KaldiError
from nnet3_compat.model.model_file import Model
from nnet3_compat.utterances.computation import Utterance
from nnet3_compat.utterances.looped_options import LoopedOptions
from nnet3_compat.utterances.online_computation import Chunk, OnlineComputer

GATHER_FRAMES = 20000  # of input read ahead so that chunks of several utterances are computed together


class LoopedComputer:
    """Computes utterances as a Computer does, but each frame of a layer once, with the i-vectors of chunks.

    Attributes:
        online: computes the chunks.
        any_thread: no: chunks of several utterances are computed together.
    Raises:
        KaldiError: options out of range, or they do not fit the model.
    """

    any_thread = False

    def __init__(self, model: Model, options: LoopedOptions, name: str = "model") -> None:
        self.online = OnlineComputer(model, options, name)

    def compute_one(self, utterance: Utterance) -> np.ndarray:
        """The output of one. Raises KaldiError where it does not fit the model."""
        return next(self.compute_many([utterance]))[1]

    def compute_many(self, utterances: Iterable[Utterance]) -> Iterator[tuple[str, np.ndarray]]:
        """(key, output) of each utterance, in order. Raises KaldiError for one that does not fit the model."""
        waiting: list[tuple[str, list[Chunk]]] = []
        frames = 0
        for utterance in utterances:
            waiting.append((utterance.key, self._chunks(utterance)))
            frames += len(utterance.features)
            if frames >= GATHER_FRAMES:
                yield from self._compute(waiting)
                waiting, frames = [], 0
        yield from self._compute(waiting)

    def _compute(self, utterances: list[tuple[str, list[Chunk]]]) -> Iterator[tuple[str, np.ndarray]]:
        made = iter(self.online.compute([chunk for _, chunks in utterances for chunk in chunks]))
        for key, chunks in utterances:
            yield key, np.concatenate([next(made) for _ in chunks])

    def _chunks(self, utterance: Utterance) -> list[Chunk]:
        return self.online.start().chunks(utterance.features, True, self._ivectors(utterance))

    def _ivectors(self, utterance: Utterance) -> Callable[[], np.ndarray] | None:
        """Gives the i-vector of each chunk: the newest one when the last frame that the chunk sees is there."""
        if utterance.ivector is not None and utterance.online_ivectors is not None:
            raise KaldiError("give --ivectors or --online-ivectors, not both")
        if utterance.online_ivectors is None:
            same = utterance.ivector
            return None if same is None else lambda: same
        online, period, model = utterance.online_ivectors, utterance.ivector_period, self.online.model
        if period <= 0:
            raise KaldiError("You need to set the --online-ivector-period option!")
        if len(online) == 0:
            raise KaldiError(f"the matrix of i-vectors of utterance {utterance.key} is empty")
        ends = iter(range(model.size + model.right_context, 1 << 62, model.size))
        return lambda: online[min(next(ends) // period, len(online) - 1)]
