"""nnet-pytorch-subsample-feats: twin of subsample-feats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Take every n'th frame of features, or repeat each.
Usage: nnet-pytorch-subsample-feats [options] <in-rspecifier> <out-wspecifier>
e.g.: nnet-pytorch-subsample-feats --n=2 ark:- ark:-"""


@dataclass
class Options:
    """Options of subsample-feats."""

    n: int = option(1, "Take every n'th frame (negative: repeat each that many times)")
    offset: int = option(0, "Start with this frame")


def subsample_feats(options: Options, source: str, target: str) -> int:
    if options.n == 0 or options.offset < 0 or (options.n < 0 and options.offset):
        raise KaldiError(f"--n={options.n} --offset={options.offset}: n must not be 0, nor negative with an offset")
    loop, frames_in, frames_out = TableLoop(), 0, 0
    with SequentialReader(source, FLOAT_MATRIX) as reader, TableWriter(target, FLOAT_MATRIX) as writer:
        for key, feats in reader:
            some = feats[options.offset :: options.n] if options.n > 0 else np.repeat(feats, -options.n, axis=0)
            frames_in, frames_out = frames_in + len(feats), frames_out + len(some)
            with loop.entry(key):
                if not len(some) and options.n > 0:
                    raise EntryError(f"For utterance {key}, output would have no rows, producing no output.")
                writer.write(key, some)
    log.info(f"Processed {loop.done} feature matrices; {loop.failed} with errors.")
    log.info(f"Processed {frames_in} input frames and {frames_out} output frames.")
    return loop.status


main = command(subsample_feats, usage=USAGE)

if __name__ == "__main__":
    main()
