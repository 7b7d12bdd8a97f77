"""nnet-pytorch-est-mllt: twin of est-mllt."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.transforms.linear import log_determinant, write_transform
from kaldi_bridge.transforms.mllt import read_sum

USAGE = """Estimate an MLLT transform, also known as STC, from statistics of nnet-pytorch-gmm-acc-mllt.
Usage: nnet-pytorch-est-mllt [options] <mllt-mat-out> <stats-in1> <stats-in2> ...
e.g.: nnet-pytorch-est-mllt 2.mat 1a.macc 1b.macc"""


@dataclass
class Options(OutputOptions):
    """Options of est-mllt."""


def est_mllt(options: Options, matrix_out: str, first: str, *others: str) -> None:
    statistics = read_sum([first, *others])
    transform, gain = statistics.transform()
    log.info(
        f"Overall objective function improvement for MLLT is {gain / statistics.count:g} over {statistics.count:g} "
        f"frames, logdet is {log_determinant(transform):g}"
    )
    write_transform(matrix_out, transform, options.binary)


main = command(est_mllt, usage=USAGE)

if __name__ == "__main__":
    main()
