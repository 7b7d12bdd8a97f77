"""The parts of examples that all kinds have in common: chunks of features with context, an i-vector, indexes."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.examples.frame_examples import NnetIo
from kaldi_bridge.examples.utterance_splitting import Chunk
from kaldi_bridge.io.compressed import CompressedMatrix
from kaldi_bridge.io.sparse import GeneralMatrix, padded_rows


def frame_indexes(first: int, count: int, step: int = 1) -> np.ndarray:
    """Indexes [count, 3] of frames of one sequence."""
    indexes = np.zeros((count, 3), np.int32)
    indexes[:, 1] = first + step * np.arange(count)
    return indexes


class InputCutter:
    """Cuts the inputs of chunks from an utterance.

    Args:
        ivectors: [rows, dim], one for each ``ivector_period`` frames, or None.
        compress: compress what is not compressed already.
    """

    def __init__(
        self, features: GeneralMatrix, ivectors: np.ndarray | None, ivector_period: int, compress: bool, random: CRandom
    ) -> None:
        self._features, self._ivectors, self._period = features, ivectors, ivector_period
        self._compress, self._random = compress, random

    def cut(self, chunk: Chunk, utterance_frames: int) -> list[NnetIo]:
        """The inputs of a chunk; its first frame is at time 0. The i-vector is of a random frame, as Kaldi draws it."""
        count = chunk.left_context + chunk.num_frames + chunk.right_context
        first = chunk.first_frame - chunk.left_context
        made = [NnetIo("input", frame_indexes(-chunk.left_context, count), padded_rows(self._features, first, count))]
        if self._ivectors is not None:
            frame = self._random.rand_int(first, first + utterance_frames - 1)
            row = min(max(frame // self._period, 0), len(self._ivectors) - 1)
            made.append(NnetIo("ivector", frame_indexes(0, 1), self._ivectors[row : row + 1]))
        for part in made:
            part.features = self.compressed(part.features)
        return made

    def compressed(self, matrix: GeneralMatrix) -> GeneralMatrix:
        """The matrix as it goes into examples: compressed, if it is full and that is wanted."""
        if self._compress and isinstance(matrix, np.ndarray) and matrix.size:
            return CompressedMatrix.compress(matrix)
        return matrix
