"""nnet-pytorch-concat-feats: twin of concat-feats."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.features.combination import concatenated
from kaldi_bridge.io.matrix_files import read_matrix_file, write_matrix_file
from kaldi_bridge.options import OutputOptions

USAGE = """Concatenate files of features of the same dimension: one after the other.
Usage: nnet-pytorch-concat-feats <in-rxfilename1> <in-rxfilename2> [<in-rxfilename3> ...] <out-wxfilename>
e.g.: nnet-pytorch-concat-feats mfcc/foo.ark:12343 mfcc/foo.ark:56789 -"""


def concat_feats(options: OutputOptions, first: str, second: str, *more: str) -> int:
    if not more:
        log.error("Wrong number of arguments: expected two inputs or more, and an output")
        return 1
    *others, target = second, *more
    write_matrix_file(target, options.binary, concatenated([read_matrix_file(name) for name in (first, *others)]))
    return 0


main = command(concat_feats, usage=USAGE)

if __name__ == "__main__":
    main()
