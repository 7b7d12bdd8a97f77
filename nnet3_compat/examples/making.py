"""What nnet3-get-egs and nnet3-get-egs-dense-targets have in common: tables in, examples out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import option
from kaldi_bridge.examples.cutting import PACKED_MATRIX, InputCutter
from kaldi_bridge.examples.frame_example_making import frame_examples
from kaldi_bridge.examples.frame_examples import RAW_EXAMPLE
from kaldi_bridge.examples.utterance_splitting import UtteranceSplitter
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import Holder
from nnet3_compat.examples.utterance_sources import ExampleOptions, UtteranceSources


@dataclass
class FrameExampleOptions(ExampleOptions):
    """Options of both."""

    targets_length_tolerance: int = option(2, "By how many frames targets and features may differ in length")


def make_frame_examples(
    options: FrameExampleOptions,
    features: str,
    targets: str,
    holder: Holder[Any],
    targets_of: Callable[[str, Any], tuple[Any, int]],
    egs: str,
    target: str = "pdf-level posterior",
) -> int:
    """Writes the examples of all utterances.

    ``targets_of`` makes of a key, and of what the table of targets has for it, what ``frame_examples`` takes, and tells
    the number of its rows.
    """
    random = CRandom(options.srand)
    splitter = UtteranceSplitter(options, random)
    num_bad = 0
    with ExitStack() as stack:
        sources = UtteranceSources(stack, options, targets, holder, target=target)
        writer = stack.enter_context(TableWriter(egs, RAW_EXAMPLE))
        for key, matrix in stack.enter_context(SequentialReader(features, PACKED_MATRIX)):
            found, frames = sources.find(key, matrix.rows), matrix.rows
            examples = b""
            if found is not None:
                cutter = InputCutter(matrix, found.ivectors, options.online_ivector_period, options.compress, random)
                rows, num_rows = targets_of(key, found.target)
                tolerance = options.targets_length_tolerance
                examples = frame_examples(key, frames, cutter, rows, num_rows, splitter, tolerance)
            if examples:
                writer.write_packed([key], examples)
            else:
                num_bad += 1
    if num_bad:
        log.warning(f"{num_bad} utterances had errors and could not be processed.")
    return 0 if splitter.report() else 1
