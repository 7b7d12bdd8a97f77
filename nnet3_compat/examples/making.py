"""What nnet3-get-egs and nnet3-get-egs-dense-targets have in common: tables in, examples out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import option
from kaldi_bridge.examples.cutting import InputCutter
from kaldi_bridge.examples.frame_example_making import Targets, frame_examples
from kaldi_bridge.examples.frame_examples import EXAMPLE, num_rows
from kaldi_bridge.examples.utterance_splitting import UtteranceSplitter
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import GENERAL_MATRIX, Holder
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
    targets_of: Callable[[str, Any], Targets],
    egs: str,
    target: str = "pdf-level posterior",
) -> int:
    """Writes the examples of all utterances; ``targets_of`` gets a key and what the table of targets has for it."""
    random = CRandom(options.srand)
    splitter = UtteranceSplitter(options, random)
    num_bad = 0
    with ExitStack() as stack:
        sources = UtteranceSources(stack, options, targets, holder, target=target)
        writer = stack.enter_context(TableWriter(egs, EXAMPLE))
        for key, matrix in stack.enter_context(SequentialReader(features, GENERAL_MATRIX)):
            found = sources.find(key, matrix)
            made = 0
            if found is not None:
                cutter = InputCutter(matrix, found.ivectors, options.online_ivector_period, options.compress, random)
                for name, example in frame_examples(
                    key,
                    num_rows(matrix),
                    cutter,
                    targets_of(key, found.target),
                    splitter,
                    options.targets_length_tolerance,
                ):
                    writer.write(name, example)
                    made += 1
            num_bad += made == 0
    if num_bad:
        log.warning(f"{num_bad} utterances had errors and could not be processed.")
    return 0 if splitter.report() else 1
