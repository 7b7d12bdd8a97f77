"""nnet-pytorch-matrix-dim: twin of matrix-dim."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, write_stdout
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.tables import SequentialReader, is_rspecifier
from kaldi_bridge.tables.holders import FLOAT_MATRIX

USAGE = """Tell the rows and columns of a matrix, or of each matrix of a table behind its key, between tabs.
Usage: nnet-pytorch-matrix-dim [options] (<matrix-in>|<in-rspecifier>)
e.g.: nnet-pytorch-matrix-dim final.mat | cut -f 2"""


@dataclass
class Options:
    """No options of its own."""


def matrix_dim(options: Options, source: str) -> int:
    if not is_rspecifier(source):
        with open_input(source) as stream:
            rows, columns = FLOAT_MATRIX.read(stream).shape
        write_stdout(f"{rows}\t{columns}\n")
        return 0
    read = 0
    with SequentialReader(source, FLOAT_MATRIX) as reader:
        for key, matrix in reader:
            write_stdout(f"{key}\t{matrix.shape[0]}\t{matrix.shape[1]}\n")
            read += 1
    if not read:
        log.warning(f"No features read from rspecifier '{source}'")
    return 0 if read else 1


main = command(matrix_dim, usage=USAGE)

if __name__ == "__main__":
    main()
