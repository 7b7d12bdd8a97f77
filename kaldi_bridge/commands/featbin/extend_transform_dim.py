"""nnet-pytorch-extend-transform-dim: twin of extend-transform-dim."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import SequentialReader, TableWriter, is_rspecifier, is_wspecifier
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.transforms.linear import extended, read_transform, write_transform

USAGE = """Make square linear, or affine, transforms ones of more dimensions, which leave the new ones as they are.
Usage: nnet-pytorch-extend-transform-dim [options] (<transform-rspecifier>|<transform-rxfilename>)
 (<transform-wspecifier>|<transform-wxfilename>)
e.g.: nnet-pytorch-extend-transform-dim --new-dimension=117 in.mat big.mat"""


@dataclass
class Options(OutputOptions):
    """Options of extend-transform-dim."""

    new_dimension: int = option(-1, "Larger dimension we are changing matrix to")


def extend_transform_dim(options: Options, source: str, target: str) -> int:
    if is_rspecifier(source) != is_wspecifier(target):
        raise KaldiError("Either none or both of the (input, output) must be a Table.")
    if not is_rspecifier(source):
        matrix = read_transform(source)
        with within(source):
            large = extended(matrix, options.new_dimension)
        write_transform(target, large, options.binary)
        log.info(f"Increased transform dim from {len(matrix)} to {len(large)} and wrote to {target}")
        return 0
    done = 0
    with SequentialReader(source, FLOAT_MATRIX) as reader, TableWriter(target, FLOAT_MATRIX) as writer:
        for key, matrix in reader:
            with within(key):
                writer.write(key, extended(matrix, options.new_dimension))
            done += 1
    log.info(f"Increased transform dim to {options.new_dimension} for {done} matrices.")
    return 0 if done else 1


main = command(extend_transform_dim, usage=USAGE)

if __name__ == "__main__":
    main()
