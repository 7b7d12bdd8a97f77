"""nnet-pytorch-copy-int-vector: twin of copy-int-vector."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import SequentialReader, TableWriter, is_rspecifier, is_wspecifier
from kaldi_bridge.tables.holders import INT32_VECTOR

USAGE = """Copy vectors of integers, e.g. alignments: a table of them or a single one.
Usage: nnet-pytorch-copy-int-vector [options] <vector-rspecifier> <vector-wspecifier>
  or:  nnet-pytorch-copy-int-vector [options] <vector-rxfilename> <vector-wxfilename>
e.g.: nnet-pytorch-copy-int-vector ark:1.ali ark,t:-"""


@dataclass
class Options(OutputOptions):
    """Options of copy-int-vector."""


def copy_int_vector(options: Options, source: str, target: str) -> int:
    if is_rspecifier(source) != is_wspecifier(target):
        raise KaldiError("Cannot mix archives with regular files (copying vectors)")
    if not is_rspecifier(source):
        with open_input(source) as stream:
            vector = INT32_VECTOR.read(stream)
        with open_output(target) as out:
            INT32_VECTOR.write(out, options.binary, vector)
        log.info(f"Copied vector to {target}")
        return 0
    done = 0
    with SequentialReader(source, INT32_VECTOR) as reader, TableWriter(target, INT32_VECTOR) as writer:
        for key, vector in reader:
            writer.write(key, vector)
            done += 1
    log.info(f"Copied {done} vectors of int32.")
    return 0 if done else 1


main = command(copy_int_vector, usage=USAGE)

if __name__ == "__main__":
    main()
