"""nnet-pytorch-fmpe-sum-accs: twin of fmpe-sum-accs."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.gmm.fmpe import FmpeStatistics
from kaldi_bridge.io.basic_io import write_header
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.sums import sum_of_files
from kaldi_bridge.options import OutputOptions

USAGE = """Sum statistics for training an fMPE transform.
Usage: nnet-pytorch-fmpe-sum-accs [options] <stats-out> <stats-in1> <stats-in2> ...
e.g.: nnet-pytorch-fmpe-sum-accs 1.accs 1.1.accs 1.2.accs"""


def fmpe_sum_accs(options: OutputOptions, stats_out: str, first: str, *more: str) -> None:
    total = sum_of_files(FmpeStatistics.read, [first, *more])
    with open_output(stats_out) as stream:
        write_header(stream, options.binary)
        total.write(stream, options.binary)
    log.info(f"Summed {1 + len(more)} fMPE stats and wrote to {stats_out}")


main = command(fmpe_sum_accs, usage=USAGE)

if __name__ == "__main__":
    main()
