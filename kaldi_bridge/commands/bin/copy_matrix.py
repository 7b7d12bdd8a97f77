"""nnet-pytorch-copy-matrix: twin of copy-matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import SequentialReader, TableWriter, is_rspecifier, is_wspecifier
from kaldi_bridge.tables.holders import FLOAT_MATRIX

USAGE = """Copy matrices, a table of them or a single one, possibly with a function applied.
Usage: nnet-pytorch-copy-matrix [options] <matrix-rspecifier> <matrix-wspecifier>
  or:  nnet-pytorch-copy-matrix [options] <matrix-rxfilename> <matrix-wxfilename>
e.g.: nnet-pytorch-copy-matrix --binary=false 1.mat -"""

FLOOR = np.float32(1e-20)  # of what logarithms are taken of


@dataclass
class Options(OutputOptions):
    """Options of copy-matrix; several functions are applied in the order in which they stand here."""

    scale: float = option(1.0, "Scale the elements")
    apply_log: bool = option(False, "Take the logarithm of the elements")
    apply_exp: bool = option(False, "Take the exponential of the elements")
    apply_softmax_per_row: bool = option(False, "Apply softmax to each row")
    apply_power: float = option(1.0, "Raise the elements to a power")


def copy_matrix(options: Options, source: str, target: str) -> int:
    if options.apply_log + options.apply_exp + options.apply_softmax_per_row > 1:
        raise KaldiError("Only one of apply-log, apply-exp and apply-softmax-per-row can be given")
    if is_rspecifier(source) != is_wspecifier(target):
        raise KaldiError("Cannot mix archives with regular files (copying matrices)")
    if not is_rspecifier(source):
        with open_input(source) as stream:
            matrix = FLOAT_MATRIX.read(stream)
        with open_output(target) as out:
            FLOAT_MATRIX.write(out, options.binary, _changed(matrix, options))
        log.info(f"Copied matrix to {target}")
        return 0
    done = 0
    with SequentialReader(source, FLOAT_MATRIX) as reader, TableWriter(target, FLOAT_MATRIX) as writer:
        for key, matrix in reader:
            writer.write(key, _changed(matrix, options))
            done += 1
    log.info(f"Copied {done} matrices.")
    return 0 if done else 1


def _changed(matrix: np.ndarray, options: Options) -> np.ndarray:
    if options.scale != 1.0:
        matrix = matrix * np.float32(options.scale)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if options.apply_log:
            matrix = np.log(np.maximum(matrix, FLOOR))
        if options.apply_exp:
            matrix = np.exp(matrix)
        if options.apply_softmax_per_row and matrix.size:
            matrix = np.exp(matrix - matrix.max(axis=1, keepdims=True))
            matrix /= matrix.sum(axis=1, keepdims=True)
        if options.apply_power != 1.0:
            matrix = matrix ** np.float32(options.apply_power)
    return matrix


main = command(copy_matrix, usage=USAGE)

if __name__ == "__main__":
    main()
