"""Examples with targets for each frame, from features and posteriors of pdfs (nnet3bin/nnet3-get-egs.cc)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.example_cutting import InputCutter, frame_indexes
from kaldi_bridge.examples import NnetExample, NnetIo
from kaldi_bridge.posterior import Posterior
from kaldi_bridge.sparse import SparseMatrix
from kaldi_bridge.utterance_splitting import Chunk, UtteranceSplitter


def frame_examples(
    key: str,
    frames: int,
    cutter: InputCutter,
    posterior: Posterior,
    num_pdfs: int,
    splitter: UtteranceSplitter,
    tolerance: int,
) -> Iterator[tuple[str, NnetExample]]:
    """(key, example) pairs of an utterance of so many frames; none, and a warning, where it cannot be used.

    ``posterior``: per frame the (pdf, weight) pairs. Raises KaldiError for a pdf that is not one of ``num_pdfs``.
    """
    if not splitter.lengths_match(key, frames, len(posterior), tolerance):
        return
    chunks = splitter.split(frames)
    if not chunks:
        log.warning(f"Not producing egs for utterance {key} because it is too short: {frames} frames.")
    factor = splitter.options.frame_subsampling_factor
    for chunk in chunks:
        io = cutter.cut(chunk, frames)
        indexes = frame_indexes(0, chunk.num_frames // factor, factor)
        io.append(NnetIo("output", indexes, _targets(key, chunk, posterior, num_pdfs, factor)))
        yield f"{key}-{chunk.first_frame}", NnetExample(io)


def _targets(key: str, chunk: Chunk, posterior: Posterior, num_pdfs: int, factor: int) -> SparseMatrix:
    rows = []
    for i, weight in enumerate(chunk.output_weights.tolist()):
        t = chunk.first_frame + i * factor
        pairs = sorted(posterior[t]) if t < len(posterior) else []
        if pairs and not 0 <= pairs[0][0] <= pairs[-1][0] < num_pdfs:
            raise KaldiError(f"{key}: a posterior of pdf {pairs[-1][0]}, but --num-pdfs={num_pdfs}")
        pdfs = np.array([pdf for pdf, _ in pairs], np.int32)
        rows.append((pdfs, np.array([value * weight for _, value in pairs], np.float32)))
    return SparseMatrix(rows, num_pdfs)
