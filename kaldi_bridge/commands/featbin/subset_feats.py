"""nnet-pytorch-subset-feats: twin of subset-feats."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text_files import read_lines
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import GENERAL_MATRIX

USAGE = """Copy a subset of features (by default, those of the first utterances).
Usage: nnet-pytorch-subset-feats [options] <in-rspecifier> <out-wspecifier>
e.g.: nnet-pytorch-subset-feats --n=10 ark:- ark:-"""


@dataclass
class Options:
    """Options of subset-feats."""

    n: int = option(10, "If nonnegative, copy the features of the first n utterances.")
    include: str = option("", "Text file whose lines begin with the utterances to include; --n has no effect then")
    exclude: str = option("", "Text file whose lines begin with the utterances to exclude; --n has no effect then")


def subset_feats(options: Options, rspecifier: str, wspecifier: str) -> int:
    if options.include and options.exclude:
        raise KaldiError("should not have both --exclude and --include option!")
    listed = options.include or options.exclude
    if listed and options.n != Options.n:
        raise KaldiError(f"Should not have both --{'include' if options.include else 'exclude'} and --n option!")
    if options.n < 1:
        raise KaldiError(f"Invalid option --n={options.n}. Should be at least 1")
    with SequentialReader(rspecifier, GENERAL_MATRIX) as reader, TableWriter(wspecifier, GENERAL_MATRIX) as writer:
        if not listed:
            for utterance, feats in islice(reader, options.n):
                writer.write(utterance, feats)
            return 0
        keys = {key for key, _ in read_lines(listed)}
        done = total = 0
        for utterance, feats in reader:
            total += 1
            if (utterance in keys) == bool(options.include):
                writer.write(utterance, feats)
                done += 1
    log.info(f" Wrote {done} out of {total} utterances.")
    return 0 if done else 1


main = command(subset_feats, usage=USAGE)

if __name__ == "__main__":
    main()
