"""nnet-pytorch-vector-sum: twin of vector-sum."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import is_rspecifier, is_wspecifier
from kaldi_bridge.tables.table_sums import VECTORS, sum_files, sum_table, sum_tables

USAGE = """Add vectors: of several tables by key, of one table, or of single files.
Usage: nnet-pytorch-vector-sum [options] <vector-rspecifier1> [<vector-rspecifier2> ...] <vector-wspecifier>
 or:   nnet-pytorch-vector-sum [options] <vector-rspecifier> <vector-wxfilename>
 or:   nnet-pytorch-vector-sum [options] <vector-rxfilename1> [<vector-rxfilename2> ...] <vector-wxfilename>
e.g.: nnet-pytorch-vector-sum --binary=false pdf_counts.1 pdf_counts.2 pdf_counts"""


@dataclass
class Options(OutputOptions):
    """Options of vector-sum."""

    average: bool = option(False, "Average instead of sum")


def vector_sum(options: Options, first: str, second: str, *more: str) -> int:
    everything = [first, second, *more]
    sources, target = everything[:-1], everything[-1]
    if is_wspecifier(target):
        scale = 1.0 / len(sources) if options.average else 1.0
        return 0 if sum_tables(VECTORS, sources, target, [scale] * len(sources)) else 1
    if len(sources) == 1 and is_rspecifier(first):
        return 0 if sum_table(VECTORS, first, target, options.binary, options.average) else 1
    if any(map(is_rspecifier, sources)):
        raise KaldiError("Wrong usage: tables and single files cannot be summed together, nor several tables to a file")
    sum_files(VECTORS, sources, target, options.binary, options.average)
    return 0


main = command(vector_sum, usage=USAGE)

if __name__ == "__main__":
    main()
