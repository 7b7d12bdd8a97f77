"""nnet-pytorch-vector-scale: twin of vector-scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.tables import SequentialReader, TableWriter, is_rspecifier, is_wspecifier
from kaldi_bridge.tables.holders import FLOAT_VECTOR

USAGE = """Scale vectors, a table of them or a single one.
Usage: nnet-pytorch-vector-scale [options] <vector-in-rspecifier> <vector-out-wspecifier>
  or:  nnet-pytorch-vector-scale [options] <vector-in-rxfilename> <vector-out-wxfilename>
e.g.: nnet-pytorch-vector-scale --scale=-2.0 ark:vec.ark ark,t:-"""


@dataclass
class Options:
    """Options of vector-scale."""

    binary: bool = option(False, "Write a single vector in binary form")
    scale: float = option(1.0, "Scaling factor for vectors")


def vector_scale(options: Options, source: str, target: str) -> None:
    if is_rspecifier(source) != is_wspecifier(target):
        raise KaldiError("Cannot mix archives and regular files")
    factor = np.float32(options.scale)
    if is_rspecifier(source):
        with SequentialReader(source, FLOAT_VECTOR) as reader, TableWriter(target, FLOAT_VECTOR) as writer:
            for key, vector in reader:
                writer.write(key, vector * factor)
        return
    with open_input(source) as stream:
        vector = FLOAT_VECTOR.read(stream)
    with open_output(target) as out:
        FLOAT_VECTOR.write(out, options.binary, vector * factor)


main = command(vector_scale, usage=USAGE)

if __name__ == "__main__":
    main()
