"""nnet-pytorch-transform-vec: twin of transform-vec."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import within
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_VECTOR
from kaldi_bridge.transforms.linear import read_transform, transform

USAGE = """Apply a transform to vectors: linear, or affine where it has one column more than they have elements.
Usage: nnet-pytorch-transform-vec [options] <transform-rxfilename> <feats-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-transform-vec transform.mat scp:ivectors.scp ark:-"""


@dataclass
class Options:
    """No options of its own."""


def transform_vec(options: Options, transform_in: str, vectors: str, wspecifier: str) -> int:
    matrix = read_transform(transform_in)
    done = 0
    with SequentialReader(vectors, FLOAT_VECTOR) as reader, TableWriter(wspecifier, FLOAT_VECTOR) as writer:
        for key, vector in reader:
            with within(key):
                writer.write(key, transform(vector[None, :], matrix)[0])
            done += 1
    log.info(f"Applied transform to {done} vectors.")
    return 0 if done else 1


main = command(transform_vec, usage=USAGE)

if __name__ == "__main__":
    main()
