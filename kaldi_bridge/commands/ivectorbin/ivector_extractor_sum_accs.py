"""nnet-pytorch-ivector-extractor-sum-accs: twin of ivector-extractor-sum-accs."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.ivectors.training_statistics import sum_statistics, write_statistics
from kaldi_bridge.options import OutputOptions

USAGE = """Sum statistics for training an i-vector extractor.
Usage: nnet-pytorch-ivector-extractor-sum-accs [options] <stats-in1> <stats-in2> ... <stats-inN> <stats-out>
e.g.: nnet-pytorch-ivector-extractor-sum-accs 2.1.acc 2.2.acc 2.acc"""


@dataclass
class Options(OutputOptions):
    """Options of ivector-extractor-sum-accs."""

    parallel: bool = option(False, "Open all inputs before any is read, so that commands in pipes run side by side")


def ivector_extractor_sum_accs(options: Options, first: str, second: str, *others: str) -> None:
    names = [first, second, *others]
    total = sum_statistics(names[:-1], options.parallel)
    write_statistics(names[-1], total, options.binary)
    log.info(f"Wrote summed stats to {names[-1]}")


main = command(ivector_extractor_sum_accs, usage=USAGE)

if __name__ == "__main__":
    main()
