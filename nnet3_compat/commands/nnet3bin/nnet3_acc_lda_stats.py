"""nnet-pytorch-acc-lda-stats: twin of nnet3-acc-lda-stats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.examples.frame_examples import EXAMPLE
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.transforms.lda_statistics import write_lda_statistics
from nnet3_compat.examples.programs import LdaOptions
from nnet3_compat.model.model_file import read_nnet

USAGE = """Accumulate statistics for LDA of what a network makes of the features of examples.
Usage: nnet-pytorch-acc-lda-stats [options] <raw-nnet-in> <training-examples-in> <lda-stats-out>
e.g.: nnet-pytorch-acc-lda-stats 0.raw ark:1.egs 1.acc"""


@dataclass
class Options(LdaOptions):
    """Options of nnet3-acc-lda-stats."""


def acc_lda_stats(options: Options, nnet_in: str, examples_rspecifier: str, stats_out: str) -> int:
    from nnet3_compat.examples.lda import LdaAccumulator

    accumulator = LdaAccumulator(read_nnet(nnet_in), options.rand_prune)
    with SequentialReader(examples_rspecifier, EXAMPLE) as examples:
        for _, example in examples:
            accumulator.add(example)
    write_lda_statistics(accumulator.statistics, stats_out, options.binary)
    return 0


main = command(acc_lda_stats, usage=USAGE)

if __name__ == "__main__":
    main()
