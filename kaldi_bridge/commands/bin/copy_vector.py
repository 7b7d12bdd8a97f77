"""nnet-pytorch-copy-vector: twin of copy-vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import SequentialReader, TableWriter, is_rspecifier, is_wspecifier
from kaldi_bridge.tables.holders import FLOAT_VECTOR

USAGE = """Copy vectors, a table of them or a single one.
Usage: nnet-pytorch-copy-vector [options] <vector-rspecifier> <vector-wspecifier>
  or:  nnet-pytorch-copy-vector [options] <vector-rxfilename> <vector-wxfilename>
e.g.: nnet-pytorch-copy-vector --binary=false 1.vec -"""


@dataclass
class Options(OutputOptions):
    """Options of copy-vector."""

    change_dim: int = option(-1, "Cut vectors to this dimension, or fill them up with zeros", name="change_dim")
    scale: float = option(1.0, "Scale the vectors of a table")


def copy_vector(options: Options, source: str, target: str) -> int:
    if is_rspecifier(source) != is_wspecifier(target):
        raise KaldiError("Cannot mix archives with regular files (copying vectors)")
    if not is_rspecifier(source):
        with open_input(source) as stream:
            vector = FLOAT_VECTOR.read(stream)
        with open_output(target) as out:
            FLOAT_VECTOR.write(out, options.binary, _of_dim(vector, options.change_dim))
        log.info(f"Copied vector to {target}")
        return 0
    done = 0
    with SequentialReader(source, FLOAT_VECTOR) as reader, TableWriter(target, FLOAT_VECTOR) as writer:
        for key, vector in reader:
            scaled = vector if options.scale == 1.0 else vector * np.float32(options.scale)
            writer.write(key, _of_dim(scaled, options.change_dim))
            done += 1
    changes = f", setting dim to {options.change_dim} scaled by {options.scale:g}"
    log.info(f"Copied {done} vectors" + (changes if options.change_dim >= 0 or options.scale != 1.0 else "."))
    return 0 if done else 1


def _of_dim(vector: np.ndarray, dim: int) -> np.ndarray:
    return np.pad(vector[:dim], (0, max(dim - len(vector), 0))) if dim >= 0 else vector


main = command(copy_vector, usage=USAGE)

if __name__ == "__main__":
    main()
