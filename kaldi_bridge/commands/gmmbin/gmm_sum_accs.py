"""nnet-pytorch-gmm-sum-accs: twin of gmm-sum-accs."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.gmm.statistics import sum_files, write_statistics
from kaldi_bridge.options import OutputOptions

USAGE = """Sum multiple accumulated statistics files for GMM training.
Usage: nnet-pytorch-gmm-sum-accs [options] <stats-out> <stats-in1> <stats-in2> ...
e.g.: nnet-pytorch-gmm-sum-accs 1.acc 1.1.acc 1.2.acc"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-sum-accs."""


def gmm_sum_accs(options: Options, statistics_out: str, first: str, *others: str) -> None:
    statistics = sum_files([first, *others])
    write_statistics(statistics_out, statistics, options.binary)
    log.info(f"Summed {1 + len(others)} stats, total count {statistics.frames:g}, written to {statistics_out}")


main = command(gmm_sum_accs, usage=USAGE)

if __name__ == "__main__":
    main()
