"""nnet-pytorch-sum-matrices: twin of sum-matrices."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.matrix_files import read_matrix_file, write_matrix_file
from kaldi_bridge.options import OutputOptions

USAGE = """Add matrices of the same size, each in a file of its own.
Usage: nnet-pytorch-sum-matrices [options] <mat-out> <mat-in1> <mat-in2> ...
e.g.: nnet-pytorch-sum-matrices sum.mat 1.mat 2.mat 3.mat"""


@dataclass
class Options(OutputOptions):
    """Options of sum-matrices."""


def sum_matrices(options: Options, matrix_out: str, first: str, *more: str) -> None:
    total = read_matrix_file(first)
    for name in more:
        matrix = read_matrix_file(name)
        if matrix.shape != total.shape:
            raise KaldiError(f"{name}: a matrix of {matrix.shape} cannot be added to one of {total.shape}")
        total = total + matrix
    write_matrix_file(matrix_out, options.binary, total)
    log.info(f"Summed {1 + len(more)} matrices  of dimension {total.shape[0]} by {total.shape[1]}")


main = command(sum_matrices, usage=USAGE)

if __name__ == "__main__":
    main()
