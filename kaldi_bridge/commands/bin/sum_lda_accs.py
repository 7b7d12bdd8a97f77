"""nnet-pytorch-sum-lda-accs: twin of sum-lda-accs."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.transforms.lda_statistics import read_sum, write_lda_statistics

USAGE = """Sum the statistics of nnet-pytorch-acc-lda-stats.
Usage: nnet-pytorch-sum-lda-accs [options] <stats-out> <stats-in1> [<stats-in2> ...]
e.g.: nnet-pytorch-sum-lda-accs lda.acc 1.acc 2.acc"""


@dataclass
class Options(OutputOptions):
    """Options of sum-lda-accs."""


def sum_lda_accs(options: Options, stats_out: str, stats_in: str, *more_stats_in: str) -> int:
    write_lda_statistics(read_sum([stats_in, *more_stats_in]), stats_out, options.binary)
    return 0


main = command(sum_lda_accs, usage=USAGE)

if __name__ == "__main__":
    main()
