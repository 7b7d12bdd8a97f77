"""nnet-pytorch-get-egs: twin of nnet3-get-egs."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.example_cutting import InputCutter
from kaldi_bridge.examples import EXAMPLE, num_rows
from kaldi_bridge.frame_example_making import frame_examples
from kaldi_bridge.holders import GENERAL_MATRIX, POSTERIOR
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.utterance_splitting import UtteranceSplitter
from nnet3_compat.utterance_sources import ExampleOptions, UtteranceSources

USAGE = """Make training examples with a target for each frame: cut features and posteriors of pdfs into chunks.
Usage: nnet-pytorch-get-egs [options] <features-rspecifier> <pdf-post-rspecifier> <egs-wspecifier>
e.g.: ali-to-pdf final.mdl 'ark:gunzip -c ali.1.gz |' ark:- | ali-to-post ark:- ark:- | \\
 nnet-pytorch-get-egs --num-pdfs=2658 --left-context=12 --right-context=9 --num-frames=8 scp:f.scp ark:- ark:1.egs"""


@dataclass
class Options(ExampleOptions):
    """Options of nnet3-get-egs."""

    num_pdfs: int = option(-1, "Number of pdfs in the acoustic model")
    targets_length_tolerance: int = option(2, "By how many frames targets and features may differ in length")


def get_egs(options: Options, features: str, posteriors: str, egs: str) -> int:
    if options.num_pdfs <= 0:
        raise KaldiError("--num-pdfs options is required.")
    random = CRandom(options.srand)
    splitter = UtteranceSplitter(options, random)
    num_bad = 0
    with ExitStack() as stack:
        sources = UtteranceSources(stack, options, posteriors, POSTERIOR)
        writer = stack.enter_context(TableWriter(egs, EXAMPLE))
        for key, matrix in stack.enter_context(SequentialReader(features, GENERAL_MATRIX)):
            found = sources.find(key, matrix)
            made = 0
            if found is not None:
                period, tolerance = options.online_ivector_period, options.targets_length_tolerance
                cutter = InputCutter(matrix, found.ivectors, period, options.compress, random)
                frames = num_rows(matrix)
                for name, example in frame_examples(
                    key, frames, cutter, found.target, options.num_pdfs, splitter, tolerance
                ):
                    writer.write(name, example)
                    made += 1
            num_bad += made == 0
    if num_bad:
        log.warning(f"{num_bad} utterances had errors and could not be processed.")
    return 0 if splitter.report() else 1


main = command(get_egs, usage=USAGE)

if __name__ == "__main__":
    main()
