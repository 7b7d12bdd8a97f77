"""nnet-pytorch-discriminative-get-egs: twin of nnet3-discriminative-get-egs."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.cutting import PACKED_MATRIX, InputCutter
from kaldi_bridge.examples.discriminative_example_making import DiscriminativeExampleMaker
from kaldi_bridge.examples.discriminative_examples import RAW_DISCRIMINATIVE_EXAMPLE
from kaldi_bridge.examples.discriminative_splitting import SplittingOptions
from kaldi_bridge.examples.discriminative_supervision import DiscriminativeSupervision
from kaldi_bridge.examples.utterance_splitting import UtteranceSplitter
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.lattices.lattice_files import LATTICE
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR
from nnet3_compat.examples.utterance_sources import ExampleOptions, UtteranceSources

USAGE = """Make examples for discriminative training: cut features, lattices and alignments of utterances into chunks.
Usage: nnet-pytorch-discriminative-get-egs [options] <model> <features-rspecifier> <denominator-lattice-rspecifier>
 <numerator-alignment-rspecifier> <egs-wspecifier>
e.g.: nnet-pytorch-discriminative-get-egs --left-context=25 --right-context=9 --num-frames=150,100,90 \\
 final.mdl scp:feats.scp 'ark,s,cs:gunzip -c lat.1.gz |' scp:ali.scp ark:degs.1.ark"""


@dataclass
class Options(ExampleOptions, SplittingOptions):
    """Options of nnet3-discriminative-get-egs."""


def discriminative_get_egs(
    options: Options, model_in: str, features: str, lattices: str, alignments: str, egs: str
) -> int:
    model = read_transition_model(model_in)
    random = CRandom(options.srand)
    splitter = UtteranceSplitter(options, random)
    maker = DiscriminativeExampleMaker(splitter, model, options)
    num_bad = num_written = 0
    with ExitStack() as stack:
        sources = UtteranceSources(stack, options, lattices, LATTICE, target="denominator lattice for key")
        aligned = stack.enter_context(RandomAccessReader(alignments, INT32_VECTOR))
        writer = stack.enter_context(TableWriter(egs, RAW_DISCRIMINATIVE_EXAMPLE))
        for key, matrix in stack.enter_context(SequentialReader(features, PACKED_MATRIX)):
            found = sources.find(key, matrix.rows)
            if found is not None and key not in aligned:
                log.warning(f"No numerator alignment for key {key}")
                found = None
            if found is None:
                num_bad += 1
                continue
            inputs = InputCutter(matrix, found.ivectors, options.online_ivector_period, options.compress, random)
            try:
                supervision = DiscriminativeSupervision.of_utterance(aligned[key], found.target)
                made = maker.make(key, matrix.rows, inputs, supervision)
            except KaldiError as error:
                log.warning(f"Failed to convert lattice to supervision for utterance {key}: {error}")
                made = None
            if made:
                writer.write_packed([key], made)
                num_written += 1
            num_bad += made is None
    if num_bad:
        log.warning(f"{num_bad} utterances had errors and could not be processed.")
    return 0 if splitter.report() and num_written else 1


main = command(discriminative_get_egs, usage=USAGE)

if __name__ == "__main__":
    main()
