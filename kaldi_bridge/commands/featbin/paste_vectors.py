"""nnet-pytorch-paste-vectors: twin of paste-vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.tables import is_rspecifier
from kaldi_bridge.tables.holders import FLOAT_VECTOR
from kaldi_bridge.tables.joined import combine_tables

USAGE = """Concatenate the vectors that have the same key, those of the first table first.
Usage: nnet-pytorch-paste-vectors <in-rspecifier1> <in-rspecifier2> [<in-rspecifier3> ...] <out-wspecifier>
e.g.: nnet-pytorch-paste-vectors ark:ivectors.ark ark:xvectors.ark ark:both.ark"""


@dataclass
class Options:
    """No options of its own."""


def paste_vectors(options: Options, first: str, second: str, third: str, *more: str) -> int:
    inputs = [first, second, third, *more]
    target = inputs.pop()
    if not is_rspecifier(first):
        raise KaldiError("This program can operate only on tables, not on rxfiles")
    return combine_tables(FLOAT_VECTOR, inputs, target, lambda utterance, vectors: np.concatenate(vectors))


main = command(paste_vectors, usage=USAGE)

if __name__ == "__main__":
    main()
