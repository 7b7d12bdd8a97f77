"""nnet-pytorch-matrix-sum-rows: twin of matrix-sum-rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR

USAGE = """Sum the rows of each matrix of a table.
Usage: nnet-pytorch-matrix-sum-rows [options] <matrix-rspecifier> <vector-wspecifier>
e.g.: nnet-pytorch-matrix-sum-rows ark:- ark:- | nnet-pytorch-vector-sum ark:- sum.vec"""


@dataclass
class Options:
    """No options of its own."""


def matrix_sum_rows(options: Options, matrices: str, vectors: str) -> int:
    done = rows = 0
    with SequentialReader(matrices, FLOAT_MATRIX) as reader, TableWriter(vectors, FLOAT_VECTOR) as writer:
        for key, matrix in reader:
            writer.write(key, matrix.sum(axis=0, dtype=np.float64))
            done, rows = done + 1, rows + len(matrix)
    log.info(f"Summed rows {done} matrices, {rows} rows in total.")
    return 0 if done else 1


main = command(matrix_sum_rows, usage=USAGE)

if __name__ == "__main__":
    main()
