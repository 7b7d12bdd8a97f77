"""Examples with targets for each frame (nnet3bin/nnet3-get-egs.cc, nnet3-get-egs-dense-targets.cc)."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.cutting import InputCutter
from kaldi_bridge.examples.frame_examples import num_rows
from kaldi_bridge.examples.utterance_splitting import UtteranceSplitter
from kaldi_bridge.io.sparse import GeneralMatrix


def frame_examples(
    key: str, frames: int, cutter: InputCutter, targets: GeneralMatrix, splitter: UtteranceSplitter, tolerance: int
) -> list[tuple[str, bytes]]:
    """(key, example) pairs of an utterance of so many frames; none, and a warning, where it cannot be used.

    ``targets``: as ``InputCutter.pack_examples`` takes them.
    """
    num_targets = num_rows(targets)
    if not splitter.lengths_match(key, frames, num_targets, tolerance) or not num_targets:
        return []
    chunks = splitter.split(frames)
    if not chunks:
        log.warning(f"Not producing egs for utterance {key} because it is too short: {frames} frames.")
        return []
    try:
        examples = cutter.pack_examples(chunks, frames, targets, splitter.options.frame_subsampling_factor)
    except KaldiError as error:
        raise KaldiError(f"{key}: {error}") from error
    return [(f"{key}-{chunk.first_frame}", example) for chunk, example in zip(chunks, examples, strict=True)]
