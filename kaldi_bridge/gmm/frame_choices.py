"""What was chosen for the frames of utterances beforehand: which Gaussians, and how much each frame weighs."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType

import numpy as np

from kaldi_bridge.errors import EntryError
from kaldi_bridge.gmm.selection import check_selection
from kaldi_bridge.tables import RandomAccessReader
from kaldi_bridge.tables.holders import FLOAT_VECTOR, INT32_RAGGED
from kaldi_bridge.tables.integer_lists import RaggedIntegers


class FrameChoices:
    """``of(utterance, num_frames)``: the selection, and the weights float32 [frames]; None where no table was given.

    Raises EntryError there for an utterance that a table lacks, or of which it has another number of frames.
    """

    def __init__(self, gselect: str, weights: str, num_gaussians: int) -> None:
        """Of rspecifiers, "" where there is none. Raises KaldiError."""
        self._num_gaussians = num_gaussians
        self._selections: RandomAccessReader[RaggedIntegers] | None = None
        self._weights: RandomAccessReader[np.ndarray] | None = None
        with ExitStack() as stack:
            if gselect:
                self._selections = stack.enter_context(RandomAccessReader(gselect, INT32_RAGGED))
            if weights:
                self._weights = stack.enter_context(RandomAccessReader(weights, FLOAT_VECTOR))
            self._open = stack.pop_all()

    def of(self, utterance: str, num_frames: int) -> tuple[RaggedIntegers | None, np.ndarray | None]:
        weights = selection = None
        if self._weights is not None:
            weights = self._weights.get(utterance)
            if weights is None:
                raise EntryError(f"No per-frame weights available for utterance {utterance}")
            if len(weights) != num_frames:
                raise EntryError(f"Weights for utterance {utterance} have wrong dim {len(weights)} vs. {num_frames}")
        if self._selections is not None:
            selection = self._selections.get(utterance)
            if selection is None:
                raise EntryError(f"No gselect information for utterance {utterance}")
            check_selection(selection, num_frames, self._num_gaussians, utterance)
        return selection, weights

    def __enter__(self) -> FrameChoices:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)
