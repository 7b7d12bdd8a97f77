"""nnet-pytorch-splice-feats: twin of splice-feats."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.features.splicing import splice
from kaldi_bridge.tables.changed import change_features

USAGE = """Splice features with left and right context.
Usage: nnet-pytorch-splice-feats [options] <feats-rspecifier> <feats-wspecifier>
e.g.: nnet-pytorch-splice-feats --left-context=3 --right-context=3 scp:feats.scp ark:-"""


@dataclass
class Options:
    """Options of splice-feats."""

    left_context: int = option(4, "Number of frames of left context")
    right_context: int = option(4, "Number of frames of right context")


def splice_feats(options: Options, feats_rspecifier: str, feats_wspecifier: str) -> int:
    change_features(
        feats_rspecifier, feats_wspecifier, lambda feats: splice(feats, options.left_context, options.right_context)
    )
    return 0


main = command(splice_feats, usage=USAGE)

if __name__ == "__main__":
    main()
