"""nnet-pytorch-shuffle-egs: twin of nnet3-shuffle-egs."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.examples.frame_examples import RAW_EXAMPLE
from nnet3_compat.examples.programs import ShuffleOptions, shuffle

USAGE = """Copy training examples in random order, all of them in memory unless --buffer-size is given.
Usage: nnet-pytorch-shuffle-egs [options] <egs-rspecifier> <egs-wspecifier>
e.g.: nnet-pytorch-shuffle-egs --srand=1 ark:train.egs ark:shuffled.egs"""


def shuffle_egs(options: ShuffleOptions, egs_rspecifier: str, egs_wspecifier: str) -> int:
    return shuffle(RAW_EXAMPLE, options, egs_rspecifier, egs_wspecifier)


main = command(shuffle_egs, usage=USAGE)

if __name__ == "__main__":
    main()
