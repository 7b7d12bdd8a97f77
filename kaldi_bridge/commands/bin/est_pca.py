"""nnet-pytorch-est-pca: twin of est-pca."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR
from kaldi_bridge.tables.loop import TableLoop
from kaldi_bridge.transforms.pca import PcaStatistics

USAGE = """Estimate a PCA transform of features or, with --read-vectors=true, of single vectors.
Usage: nnet-pytorch-est-pca [options] (<feature-rspecifier>|<vector-rspecifier>) <pca-matrix-out>
e.g.: utils/shuffle_list.pl data/train/feats.scp | head -n 5000 | sort | nnet-pytorch-est-pca --dim=50 scp:- 0.mat"""


@dataclass
class Options(OutputOptions):
    """Options of est-pca."""

    dim: int = option(-1, "Dimension of the result (all, if not positive)")
    read_vectors: bool = option(False, "Read single vectors instead of matrices")
    normalize_variance: bool = option(False, "Make the variance of each direction one")
    normalize_mean: bool = option(False, "Make an affine transform that subtracts the mean")
    write_full_matrix: str = option("", "Where to write the matrix with the rows that --dim leaves out, too")


def est_pca(options: Options, rspecifier: str, matrix_out: str) -> int:
    statistics, loop = PcaStatistics(), TableLoop()
    with SequentialReader(rspecifier, FLOAT_VECTOR if options.read_vectors else FLOAT_MATRIX) as reader:
        for key, value in reader:
            with loop.entry(key):
                if not value.size:
                    raise EntryError("Empty input vector" if options.read_vectors else "Empty feature matrix")
                statistics.add(np.atleast_2d(value))
    what = "vectors" if options.read_vectors else "feature files"
    frames = "." if options.read_vectors else f"; {statistics.count} frames."
    log.info(f"Accumulated stats from {loop.done} {what}, {loop.failed} with errors{frames}")
    dim = max(options.dim, 0)
    matrix = statistics.transform(dim, options.normalize_variance, options.normalize_mean)
    for name, rows in ((options.write_full_matrix, matrix), (matrix_out, matrix[: dim or None])):
        if name:
            with open_output(name) as stream:
                FLOAT_MATRIX.write(stream, options.binary, rows)
    return 0


main = command(est_pca, usage=USAGE)

if __name__ == "__main__":
    main()
