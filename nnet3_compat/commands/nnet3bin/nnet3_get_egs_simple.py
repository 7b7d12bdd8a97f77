"""nnet-pytorch-get-egs-simple: twin of nnet3-get-egs-simple."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.examples.frame_examples import EXAMPLE, NnetExample, NnetIo, num_rows
from kaldi_bridge.io.sparse import GeneralMatrix
from kaldi_bridge.io.specifiers import is_token
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter, is_rspecifier
from kaldi_bridge.tables.holders import GENERAL_MATRIX
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Make examples for network training of whole matrices, such as images: not cut into pieces, and with inputs
and outputs of any names. Those that a table lacks are left out.
Usage: nnet-pytorch-get-egs-simple [options] <name1>=<rspecifier1> <name2>=<rspecifier2> ... <egs-wspecifier>
e.g.: nnet-pytorch-get-egs-simple input=scp:images.scp output=ark:targets.smat ark:train.egs"""


def get_egs_simple(first: str, second: str, *more: str) -> int:
    sources = [first, second, *more]
    wspecifier = sources.pop()
    (name, rspecifier), *others = map(_named, sources)
    loop = TableLoop()
    with ExitStack() as stack:
        writer = stack.enter_context(TableWriter(wspecifier, EXAMPLE))
        reader = stack.enter_context(SequentialReader(rspecifier, GENERAL_MATRIX))
        tables = [(other, stack.enter_context(RandomAccessReader(where, GENERAL_MATRIX))) for other, where in others]
        for key, matrix in reader:
            with loop.entry(key):
                parts = [_part(name, matrix)]
                for other, table in tables:
                    if key not in table:
                        raise EntryError(f"Could not find input for key {key} for io-name={other}")
                    parts.append(_part(other, table[key]))
                writer.write(key, NnetExample(parts))
    if loop.failed:
        log.warning(f"{loop.failed} utterances had errors and could not be processed.")
    return loop.status


def _named(argument: str) -> tuple[str, str]:
    name, sign, rspecifier = argument.partition("=")
    if not sign or not is_token(name):
        raise KaldiError(f"Bad command line argument (expecting a valid name before '='): {argument}")
    if not is_rspecifier(rspecifier):
        raise KaldiError(f"Bad command line argument (expecting an rspecifier after '='): {argument}")
    return name, rspecifier


def _part(name: str, matrix: GeneralMatrix) -> NnetIo:
    """Each row is a frame, from 0 on. Raises KaldiError where there is none."""
    if not num_rows(matrix):
        raise KaldiError(f"the matrix of {name} has no rows")
    indexes = np.zeros((num_rows(matrix), 3), np.int32)
    indexes[:, 1] = np.arange(len(indexes))
    return NnetIo(name, indexes, matrix)


main = command(get_egs_simple, usage=USAGE)

if __name__ == "__main__":
    main()
