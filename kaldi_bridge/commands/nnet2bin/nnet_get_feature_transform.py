"""nnet-pytorch-nnet-get-feature-transform: twin of nnet-get-feature-transform."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import command, option
from kaldi_bridge.io.basic_io import write_header
from kaldi_bridge.io.matrix_io import pack_symmetric, write_matrix, write_packed
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.transforms.lda import cholesky
from kaldi_bridge.transforms.lda_statistics import read_sum
from kaldi_bridge.transforms.preconditioning import estimate

USAGE = """Estimate the transform that preconditions a network's input, from statistics of nnet-pytorch-acc-lda-stats.
Usage: nnet-pytorch-nnet-get-feature-transform [options] <matrix-out> <stats-in1> [<stats-in2> ...]
e.g.: nnet-pytorch-nnet-get-feature-transform lda.mat lda.acc"""


@dataclass
class Options(OutputOptions):
    """Options of nnet-get-feature-transform."""

    write_cholesky: str = option("", "Where to write the Cholesky factor of the within-class covariance")
    write_within_covar: str = option("", "Where to write the within-class covariance")
    remove_offset: bool = option(True, "Output an affine transform that makes the projected data's mean zero.")
    dim: int = option(-1, "Dimension to project to with LDA")
    within_class_factor: float = option(
        0.001, "If 1.0, conventional LDA; less gives less variance where classes do not differ"
    )
    max_singular_value: float = option(5.0, "If >0, largest singular value of the transform")


def nnet_get_feature_transform(options: Options, matrix_out: str, stats_in: str, *more_stats_in: str) -> int:
    statistics = read_sum([stats_in, *more_stats_in])
    transform = estimate(
        statistics, options.dim, options.within_class_factor, options.max_singular_value, options.remove_offset
    )
    with open_output(matrix_out) as stream:
        write_header(stream, options.binary)
        write_matrix(stream, options.binary, transform)
    if options.write_cholesky or options.write_within_covar:
        _, total, between = statistics.covariances()
        factor = cholesky(total - between)
        _write_packed(options.write_cholesky, options.binary, factor)
        _write_packed(options.write_within_covar, options.binary, factor @ factor.T)
    return 0


def _write_packed(wxfilename: str, binary: bool, matrix: np.ndarray) -> None:
    if wxfilename:
        with open_output(wxfilename) as stream:
            write_header(stream, binary)
            write_packed(stream, binary, pack_symmetric(matrix.astype(np.float32)))


main = command(nnet_get_feature_transform, usage=USAGE)

if __name__ == "__main__":
    main()
