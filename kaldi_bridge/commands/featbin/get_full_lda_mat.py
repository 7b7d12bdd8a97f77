"""nnet-pytorch-get-full-lda-mat: twin of get-full-lda-mat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.matrix_files import read_matrix_file, write_matrix_file
from kaldi_bridge.options import OutputOptions

USAGE = """Join an LDA+MLLT matrix with the rows that it lacks of the square LDA matrix (est-lda --write-full-matrix).
Usage: nnet-pytorch-get-full-lda-mat [options] <lda-mllt-rxfilename> <full-lda-rxfilename> \\
    <full-lda-mllt-wxfilename> [<inverse-wxfilename>]
e.g.: nnet-pytorch-get-full-lda-mat final.mat full.mat full_lda_mllt.mat full_lda_mllt_inv.mat"""


@dataclass
class Options(OutputOptions):
    """Options of get-full-lda-mat."""


def get_full_lda_mat(
    options: Options, lda_mllt_in: str, full_lda_in: str, full_out: str, inverse_out: str | None = None
) -> None:
    rows, full = read_matrix_file(lda_mllt_in), read_matrix_file(full_lda_in).copy()
    if full.shape[0] != full.shape[1]:
        raise KaldiError(f"{full_lda_in}: a full LDA matrix is square, this one is {full.shape[0]} x {full.shape[1]}")
    if rows.shape[1] != full.shape[1] or len(rows) > len(full):
        raise KaldiError(f"{lda_mllt_in}: a matrix of size {len(rows)} x {rows.shape[1]} does not fit {full_lda_in}")
    full[: len(rows)] = rows
    write_matrix_file(full_out, options.binary, full)
    if inverse_out is not None:
        try:
            inverse = np.linalg.inv(full.astype(np.float64))
        except np.linalg.LinAlgError:
            raise KaldiError(f"{lda_mllt_in} and {full_lda_in}: the joined matrix cannot be inverted") from None
        write_matrix_file(inverse_out, options.binary, inverse.astype(np.float32))


main = command(get_full_lda_mat, usage=USAGE)

if __name__ == "__main__":
    main()
