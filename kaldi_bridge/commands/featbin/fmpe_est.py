"""nnet-pytorch-fmpe-est: twin of fmpe-est."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.gmm.fmpe import Fmpe, FmpeStatistics, FmpeUpdateOptions
from kaldi_bridge.io.sums import sum_of_files
from kaldi_bridge.options import OutputOptions

USAGE = """Change an fMPE transform by one step of gradient descent, with a rate of its own for each parameter.
Usage: nnet-pytorch-fmpe-est [options] <fmpe-in> <stats-in> <fmpe-out>
e.g.: nnet-pytorch-fmpe-est 1.fmpe 1.accs 2.fmpe"""


@dataclass
class Options(FmpeUpdateOptions, OutputOptions):
    """Options of fmpe-est."""


def fmpe_est(options: Options, fmpe_in: str, stats_in: str, fmpe_out: str) -> None:
    fmpe = Fmpe.read(fmpe_in)
    statistics = sum_of_files(FmpeStatistics.read, [stats_in])
    statistics.log_checks()
    fmpe.update(statistics, options)
    fmpe.write(fmpe_out, options.binary)
    log.info(f"Updated fMPE object and wrote to {fmpe_out}")


main = command(fmpe_est, usage=USAGE)

if __name__ == "__main__":
    main()
