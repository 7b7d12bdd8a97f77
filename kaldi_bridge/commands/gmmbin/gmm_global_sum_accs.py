"""nnet-pytorch-gmm-global-sum-accs: twin of gmm-global-sum-accs."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.gmm.global_statistics import sum_statistics, write_statistics
from kaldi_bridge.options import OutputOptions

USAGE = """Sum statistics for training one mixture of Gaussians with diagonal covariances.
Usage: nnet-pytorch-gmm-global-sum-accs [options] <stats-out> <stats-in1> <stats-in2> ...
e.g.: nnet-pytorch-gmm-global-sum-accs 1.acc 1.1.acc 1.2.acc"""


@dataclass
class Options(OutputOptions):
    """Options of gmm-global-sum-accs."""


def gmm_global_sum_accs(options: Options, stats_out: str, first: str, *others: str) -> None:
    write_statistics(stats_out, sum_statistics([first, *others]), options.binary)
    log.info(f"Written stats to {stats_out}")


main = command(gmm_global_sum_accs, usage=USAGE)

if __name__ == "__main__":
    main()
