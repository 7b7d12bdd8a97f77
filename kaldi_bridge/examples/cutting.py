"""The parts of examples that all kinds have in common: chunks of features with context, an i-vector, indexes."""

from __future__ import annotations

import functools
from typing import Any, Protocol

import numpy as np

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.buffer import MARKER
from kaldi_bridge.examples.utterance_splitting import Chunk
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.basic_io import write_int32, write_token
from kaldi_bridge.io.compressed import without_nan
from kaldi_bridge.io.output_stream import OutputStream, Pieces
from kaldi_bridge.io.sparse import (
    GeneralMatrix,
    general_matrix_range,
    matrix_of_parts,
    matrix_parts,
    read_general_matrix,
    write_general_matrix,
)
from kaldi_bridge.tables.holders import ObjectHolder


@functools.lru_cache(maxsize=256)
def frame_indexes(first: int, count: int, step: int = 1) -> np.ndarray:
    """Indexes [count, 3] of frames of one sequence, not to be changed."""
    indexes = np.zeros((count, 3), np.int32)
    indexes[:, 1] = first + step * np.arange(count)
    indexes.flags.writeable = False
    return indexes


def packed(matrix: GeneralMatrix) -> Any:
    """The matrix as functions in C++ take it: ``rows``, ``cols``, ``has_nan``, ``parts()``."""
    return _csrc.PackedMatrix(matrix_parts(matrix))


def _without_nan(matrix: Any) -> Any:
    return packed(without_nan(matrix.parts())) if matrix.has_nan else matrix


PACKED_MATRIX = ObjectHolder[Any](
    lambda stream, binary: packed(read_general_matrix(stream, binary)),
    lambda stream, binary, value: write_general_matrix(stream, binary, matrix_of_parts(value.parts())),
    lambda value, text: packed(general_matrix_range(matrix_of_parts(value.parts()), text)),
    "packed matrix",
)
"""Any general matrix, ``packed``, for those who cut it."""


class Output(Protocol):
    """A supervision with its indexes."""

    def write(self, stream: OutputStream, binary: bool) -> None:
        """As Kaldi writes it."""


class InputCutter:
    """Cuts the inputs of chunks from an utterance, in the binary form of examples.

    Args:
        features: ``packed``.
        ivectors: [rows, dim], one for each ``ivector_period`` frames, or None.
        compress: compress what is not compressed already.
    """

    def __init__(
        self, features: Any, ivectors: np.ndarray | None, ivector_period: int, compress: bool, random: CRandom
    ) -> None:
        if compress:
            features = _without_nan(features)
            ivectors = None if ivectors is None else without_nan(ivectors)
        self._inputs = _csrc.ChunkInputs(features, ivectors, ivector_period, compress, random.core)

    def pack_example(self, token: str, chunk: Chunk, utterance_frames: int, output: Output) -> bytes:
        """A whole example of the kind that begins with ``token``. The first frame of the chunk is at time 0.

        Raises KaldiError for what cannot be compressed.
        """
        try:
            inputs = self._inputs.pack(chunk, utterance_frames)
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

    def pack_chain_examples(
        self, key: str, chunks: Any, frames: int, targets: Any, deriv_weights: np.ndarray | None, long_keys: bool
    ) -> bytes:
        """Chain examples of an utterance of so many frames, as entries of an archive.

        Args:
            chunks: of ``UtteranceSplitter.cut``.
            targets: of a SupervisionSplitter.
            deriv_weights: one for each frame of the supervision, where there are any.
            long_keys: with the contexts.

        Raises:
            KaldiError: something cannot be compressed.
        """
        try:
            return _csrc.pack_chain_examples(key, self._inputs, targets, chunks, frames, deriv_weights, long_keys)
        except ValueError as error:
            raise KaldiError(f"{key}: {error}") from None

    def pack_discriminative_examples(self, key: str, chunks: Any, frames: int, targets: Any) -> bytes:
        """Examples for discriminative training, of an utterance of so many frames, as entries of an archive.

        Args:
            chunks: of ``UtteranceSplitter.cut``.
            targets: of a DiscriminativeSplitter.

        Raises:
            KaldiError: there is nothing in a chunk, or something cannot be compressed.
        """
        try:
            return _csrc.pack_discriminative_examples(key, self._inputs, targets, chunks, frames)
        except ValueError as error:
            raise KaldiError(str(error)) from None

    def pack_frame_examples(self, key: str, chunks: Any, frames: int, targets: Any) -> bytes:
        """Examples of an utterance of so many frames, with a target for each label, as entries of an archive.

        Args:
            chunks: of ``UtteranceSplitter.cut``.
            targets: a row for each label, ``packed``; or a PackedPosterior with a row for each frame, whose indexes may
                come in any order and are weighted: less where chunks overlap; and the number of pdfs.

        Raises:
            KaldiError: an index is beyond the dimension of the targets, or something cannot be compressed.
        """
        try:
            return _csrc.pack_frame_examples(key, self._inputs, targets, chunks, frames)
        except ValueError as error:
            raise KaldiError(f"{key}: {error}") from None
