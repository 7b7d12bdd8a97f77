"""nnet-pytorch-est-lda: twin of est-lda."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.transforms.lda import LdaOptions, estimate
from kaldi_bridge.transforms.lda_statistics import read_sum
from kaldi_bridge.transforms.linear import write_transform

USAGE = """Estimate an LDA transform from statistics of nnet-pytorch-acc-lda.
Usage: nnet-pytorch-est-lda [options] <lda-matrix-out> <lda-acc-1> <lda-acc-2> ...
e.g.: nnet-pytorch-est-lda --dim=40 0.mat lda.*.acc"""


@dataclass
class Options(LdaOptions, OutputOptions):
    """Options of est-lda."""

    write_full_matrix: str = option("", "Write full LDA matrix to this location.")


def est_lda(options: Options, matrix_out: str, first: str, *others: str) -> None:
    transform, full = estimate(read_sum([first, *others]), options)
    write_transform(matrix_out, transform, options.binary)
    if options.write_full_matrix:
        write_transform(options.write_full_matrix, full, options.binary)


main = command(est_lda, usage=USAGE)

if __name__ == "__main__":
    main()
