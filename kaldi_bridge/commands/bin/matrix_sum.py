"""nnet-pytorch-matrix-sum: twin of matrix-sum."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import is_rspecifier, is_wspecifier
from kaldi_bridge.tables.table_sums import MATRICES, sum_files, sum_table, sum_tables

USAGE = """Add matrices: of several tables by key, of one table, or of single files.
Usage: nnet-pytorch-matrix-sum [options] <matrix-rspecifier1> [<matrix-rspecifier2> ...] <matrix-wspecifier>
 or:   nnet-pytorch-matrix-sum [options] <matrix-rspecifier> <matrix-wxfilename>
 or:   nnet-pytorch-matrix-sum [options] <matrix-rxfilename1> [<matrix-rxfilename2> ...] <matrix-wxfilename>
e.g.: nnet-pytorch-matrix-sum --binary=false scp:data/train/cmvn.scp global_cmvn.stats"""


@dataclass
class Options(OutputOptions):
    """Options of matrix-sum."""

    scale1: float = option(1.0, "Scale of the first of several tables")
    scale2: float = option(1.0, "Scale of the second of several tables")
    average: bool = option(False, "Average instead of sum, of several tables or files")


def matrix_sum(options: Options, first: str, second: str, *more: str) -> int:
    everything = [first, second, *more]
    sources, target = everything[:-1], everything[-1]
    if is_wspecifier(target):
        scales = [options.scale1, options.scale2, *[1.0] * len(sources)][: len(sources)]
        if options.average:
            scales = [1.0 / len(sources)] * len(sources)
        return 0 if sum_tables(MATRICES, sources, target, scales) else 1
    if options.scale1 != 1.0 or options.scale2 != 1.0:
        raise KaldiError("--scale1 and --scale2 are for tables that are summed to a table")
    if len(sources) == 1 and is_rspecifier(first):
        if options.average:
            raise KaldiError("--average option not compatible with the sum of a single table.")
        return 0 if sum_table(MATRICES, first, target, options.binary) else 1
    if any(map(is_rspecifier, sources)):
        raise KaldiError("Wrong usage: tables and single files cannot be summed together, nor several tables to a file")
    sum_files(MATRICES, sources, target, options.binary, options.average)
    return 0


main = command(matrix_sum, usage=USAGE)

if __name__ == "__main__":
    main()
