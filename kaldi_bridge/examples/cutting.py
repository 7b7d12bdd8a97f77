"""The parts of examples that all kinds have in common: chunks of features with context, an i-vector, indexes."""

from __future__ import annotations

import functools
from typing import Protocol

import numpy as np

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.buffer import MARKER
from kaldi_bridge.examples.utterance_splitting import Chunk
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.basic_io import write_int32, write_token
from kaldi_bridge.io.compressed import without_nan
from kaldi_bridge.io.output_stream import OutputStream, Pieces
from kaldi_bridge.io.sparse import GeneralMatrix, matrix_parts


@functools.lru_cache(maxsize=256)
def frame_indexes(first: int, count: int, step: int = 1) -> np.ndarray:
    """Indexes [count, 3] of frames of one sequence, not to be changed."""
    indexes = np.zeros((count, 3), np.int32)
    indexes[:, 1] = first + step * np.arange(count)
    indexes.flags.writeable = False
    return indexes


class Output(Protocol):
    """A supervision with its indexes."""

    def write(self, stream: OutputStream, binary: bool) -> None:
        """As Kaldi writes it."""


class InputCutter:
    """Cuts the inputs of chunks from an utterance, in the binary form of examples.

    Args:
        ivectors: [rows, dim], one for each ``ivector_period`` frames, or None.
        compress: compress what is not compressed already.
    """

    def __init__(
        self, features: GeneralMatrix, ivectors: np.ndarray | None, ivector_period: int, compress: bool, random: CRandom
    ) -> None:
        if compress:
            features = without_nan(features) if isinstance(features, np.ndarray) else features
            ivectors = None if ivectors is None else without_nan(ivectors)
        self._inputs = _csrc.ChunkInputs(matrix_parts(features), ivectors, compress)
        self._num_ivectors = 0 if ivectors is None else len(ivectors)
        self._period, self._random = ivector_period, random

    def pack_example(self, token: str, chunk: Chunk, utterance_frames: int, output: Output) -> bytes:
        """A whole example of the kind that begins with ``token``. The first frame of the chunk is at time 0.

        Raises KaldiError for what cannot be compressed.
        """
        try:
            inputs = self._inputs.pack(chunk, self._ivector_row(chunk, utterance_frames))
        except ValueError as error:
            raise KaldiError(str(error)) from None
        pieces = Pieces("memory")
        pieces.write(MARKER)
        write_token(pieces, True, token)
        write_token(pieces, True, "<NumInputs>")
        write_int32(pieces, True, self._inputs.count)
        pieces.write(inputs)
        write_token(pieces, True, "<NumOutputs>")
        write_int32(pieces, True, 1)
        output.write(pieces, True)
        write_token(pieces, True, token.replace("<", "</"))
        return pieces.data()

    def pack_examples(
        self, chunks: list[Chunk], utterance_frames: int, targets: GeneralMatrix, factor: int
    ) -> list[bytes]:
        """Whole examples of chunks, with a target for every ``factor``th frame.

        Args:
            targets: a row for each label; or, sparse, a row for each frame with indexes in any order, which are
                weighted: less where chunks overlap.

        Raises:
            KaldiError: an index is beyond the dimension of the targets, or something cannot be compressed.
        """
        rows = [self._ivector_row(chunk, utterance_frames) for chunk in chunks]
        try:
            return _csrc.pack_frame_examples(self._inputs, matrix_parts(targets), factor, chunks, rows)
        except ValueError as error:
            raise KaldiError(str(error)) from None

    def _ivector_row(self, chunk: Chunk, utterance_frames: int) -> int:
        """That of a random frame, as Kaldi draws it."""
        if not self._num_ivectors:
            return 0
        first = chunk.first_frame - chunk.left_context
        frame = self._random.rand_int(first, first + utterance_frames - 1)
        return min(max(frame // self._period, 0), self._num_ivectors - 1)
