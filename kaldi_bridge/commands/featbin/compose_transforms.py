"""nnet-pytorch-compose-transforms: twin of compose-transforms."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.options import OutputOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter, is_rspecifier, is_wspecifier
from kaldi_bridge.tables.holders import FLOAT_MATRIX, TOKEN
from kaldi_bridge.transforms.linear import composed, read_transform, write_transform

USAGE = """Compose linear or affine transforms of features: the matrix product A B, so that B is applied first.
Usage: nnet-pytorch-compose-transforms [options] (<transform-A-rspecifier>|<transform-A-rxfilename>)
 (<transform-B-rspecifier>|<transform-B-rxfilename>) (<transform-out-wspecifier>|<transform-out-wxfilename>)
e.g.: nnet-pytorch-compose-transforms 1.mat 2.mat 3.mat
      nnet-pytorch-compose-transforms ark:1.trans ark:2.trans ark:3.trans"""


@dataclass
class Options(OutputOptions):
    """Options of compose-transforms."""

    utt2spk: str = option(
        "", "Rspecifier of the map from utterance to speaker, where A is by utterance and B by speaker"
    )
    b_is_affine: bool = option(False, "Treat last column of transform B as an offset (only relevant if A is affine)")


def compose_transforms(options: Options, first: str, second: str, output: str) -> None:
    tables = is_rspecifier(first), is_rspecifier(second)
    if options.utt2spk and not all(tables):
        raise KaldiError("--utt2spk is for two tables of transforms, but one of the inputs is a single transform")
    if any(tables) != is_wspecifier(output):
        raise KaldiError("the output must be a table where one of the inputs is, and a file where both are files")
    if not any(tables):
        a, b = read_transform(first), read_transform(second)
        if not options.b_is_affine and a.shape == b.shape and a.shape[1] == a.shape[0] + 1:
            log.warning("It looks like you are composing two affine transforms, but you omitted --b-is-affine.")
        write_transform(output, composed(a, b, options.b_is_affine), options.binary)
        return
    with ExitStack() as stack:
        keyed = stack.enter_context(SequentialReader(first if tables[0] else second, FLOAT_MATRIX))
        table: RandomAccessReader[np.ndarray] | None = None
        speakers: RandomAccessReader[str] | None = None
        other = np.zeros((0, 0), np.float32)
        if all(tables):
            table = stack.enter_context(RandomAccessReader(second, FLOAT_MATRIX))
            if options.utt2spk:
                speakers = stack.enter_context(RandomAccessReader(options.utt2spk, TOKEN))
        else:
            other = read_transform(second if tables[0] else first)
        writer = stack.enter_context(TableWriter(output, FLOAT_MATRIX))
        for key, matrix in keyed:
            if table is not None:
                owner = key if speakers is None else speakers.get(key)
                if owner is None:
                    log.warning(f"No speaker provided for utterance {key}")
                    continue
                if owner not in table:
                    log.warning(f"Second table does not have key {owner}")
                    continue
                other = table[owner]
            a, b = (matrix, other) if tables[0] else (other, matrix)
            if not matrix.size or not other.size:
                log.warning(f"Empty matrix in transforms of {key}")
                continue
            with within(key):
                writer.write(key, composed(a, b, options.b_is_affine))


main = command(compose_transforms, usage=USAGE)

if __name__ == "__main__":
    main()
