"""Examples with targets for each frame (nnet3bin/nnet3-get-egs.cc, nnet3-get-egs-dense-targets.cc)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.cutting import InputCutter, frame_indexes
from kaldi_bridge.examples.frame_examples import NnetExample, NnetIo
from kaldi_bridge.examples.utterance_splitting import Chunk, UtteranceSplitter
from kaldi_bridge.io.sparse import GeneralMatrix, SparseMatrix
from kaldi_bridge.tables.posterior import Posterior


class Targets(Protocol):
    """The targets of an utterance."""

    def __len__(self) -> int:
        """How many frames, after subsampling, they are for."""

    def of(self, chunk: Chunk, factor: int) -> GeneralMatrix:
        """[frames of the chunk, dim]; ``factor``: frame subsampling factor."""


class PosteriorTargets:
    """Of each frame the (pdf, weight) pairs; weights count less where chunks overlap."""

    def __init__(self, key: str, posterior: Posterior, num_pdfs: int) -> None:
        self._key, self._posterior, self._num_pdfs = key, posterior, num_pdfs

    def __len__(self) -> int:
        return len(self._posterior)

    def of(self, chunk: Chunk, factor: int) -> SparseMatrix:
        """Raises KaldiError for a pdf that is not one of ``num_pdfs``."""
        rows = []
        for i, weight in enumerate(chunk.output_weights.tolist()):
            t = chunk.first_frame + i * factor
            pairs = sorted(self._posterior[t]) if t < len(self._posterior) else []
            if pairs and not 0 <= pairs[0][0] <= pairs[-1][0] < self._num_pdfs:
                raise KaldiError(f"{self._key}: a posterior of pdf {pairs[-1][0]}, but --num-pdfs={self._num_pdfs}")
            pdfs = np.array([pdf for pdf, _ in pairs], np.int32)
            rows.append((pdfs, np.array([value * weight for _, value in pairs], np.float32)))
        return SparseMatrix.from_rows(rows, self._num_pdfs)


class DenseTargets:
    """A row of numbers for each frame, the last one for those beyond."""

    def __init__(self, matrix: np.ndarray) -> None:
        self._matrix = matrix

    def __len__(self) -> int:
        return len(self._matrix)

    def of(self, chunk: Chunk, factor: int) -> np.ndarray:
        first = chunk.first_frame // factor
        return self._matrix[np.minimum(np.arange(first, first + chunk.num_frames // factor), len(self._matrix) - 1)]


def frame_examples(
    key: str, frames: int, cutter: InputCutter, targets: Targets, splitter: UtteranceSplitter, tolerance: int
) -> Iterator[tuple[str, NnetExample]]:
    """(key, example) pairs of an utterance of so many frames; none, and a warning, where it cannot be used."""
    if not splitter.lengths_match(key, frames, len(targets), tolerance) or not len(targets):
        return
    chunks = splitter.split(frames)
    if not chunks:
        log.warning(f"Not producing egs for utterance {key} because it is too short: {frames} frames.")
    factor = splitter.options.frame_subsampling_factor
    for chunk in chunks:
        io = cutter.cut(chunk, frames)
        indexes = frame_indexes(0, chunk.num_frames // factor, factor)
        io.append(NnetIo("output", indexes, cutter.compressed(targets.of(chunk, factor))))
        yield f"{key}-{chunk.first_frame}", NnetExample(io)
