"""nnet-pytorch-ivector-transform: twin of ivector-transform."""

from __future__ import annotations

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import within
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_VECTOR
from kaldi_bridge.transforms.linear import read_transform, transform

USAGE = """Multiply i-vectors by a matrix: linear, or affine where it has one column more than they have elements.
Usage: nnet-pytorch-ivector-transform <matrix-in> <ivector-rspecifier> <ivector-wspecifier>
e.g.: nnet-pytorch-ivector-transform transform.mat ark:ivectors.ark ark:transformed_ivectors.ark"""


def ivector_transform(matrix_in: str, ivector_rspecifier: str, ivector_wspecifier: str) -> int:
    matrix = read_transform(matrix_in)
    total, squares, done = np.zeros(len(matrix)), 0.0, 0
    with (
        SequentialReader(ivector_rspecifier, FLOAT_VECTOR) as reader,
        TableWriter(ivector_wspecifier, FLOAT_VECTOR) as writer,
    ):
        for key, ivector in reader:
            with within(key):
                result = transform(ivector[np.newaxis], matrix)[0]
            writer.write(key, result)
            total += result
            squares += float(result @ result)
            done += 1
    log.info(f"Processed {done} iVectors.")
    if done:
        mean: np.ndarray = total / done
        length = np.sqrt(max(squares / done - float(mean @ mean), 0.0) / len(matrix))
        log.info(
            f"Norm of mean was {np.linalg.norm(mean):g} (should be close to zero), length divided by sqrt(dim) was "
            f"{length:g} (should probably be close to one)"
        )
    return 0 if done else 1


main = command(ivector_transform, usage=USAGE)

if __name__ == "__main__":
    main()
