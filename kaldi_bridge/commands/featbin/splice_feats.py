"""nnet-pytorch-splice-feats: twin of splice-feats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.features.splicing import splice
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Splice features with left and right context.
Usage: nnet-pytorch-splice-feats [options] <feats-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-splice-feats --left-context=3 --right-context=3 scp:feats.scp ark:-"""


@dataclass
class Options:
    """Options of splice-feats."""

    left_context: int = option(4, "Number of frames of left context")
    right_context: int = option(4, "Number of frames of right context")


def splice_feats(options: Options, feats_rspecifier: str, feats_wspecifier: str) -> int:
    loop = TableLoop()
    with (
        SequentialReader(feats_rspecifier, FLOAT_MATRIX) as reader,
        TableWriter(feats_wspecifier, FLOAT_MATRIX) as writer,
    ):
        for utterance, feats in reader:
            with loop.entry(utterance):
                writer.write(utterance, splice(feats, options.left_context, options.right_context))
    return 0


main = command(splice_feats, usage=USAGE)

if __name__ == "__main__":
    main()
