"""nnet-pytorch-fgmm-global-sum-accs: twin of fgmm-global-sum-accs."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.gmm.full_statistics import sum_full_statistics, write_full_statistics
from kaldi_bridge.options import OutputOptions

USAGE = """Sum statistics for training one mixture of Gaussians with full covariances.
Usage: nnet-pytorch-fgmm-global-sum-accs [options] <stats-out> <stats-in1> <stats-in2> ...
e.g.: nnet-pytorch-fgmm-global-sum-accs 1.acc 1.1.acc 1.2.acc"""


@dataclass
class Options(OutputOptions):
    """Options of fgmm-global-sum-accs."""


def fgmm_global_sum_accs(options: Options, stats_out: str, first: str, *others: str) -> None:
    write_full_statistics(stats_out, sum_full_statistics([first, *others]), options.binary)
    log.info(f"Written stats to {stats_out}")


main = command(fgmm_global_sum_accs, usage=USAGE)

if __name__ == "__main__":
    main()
