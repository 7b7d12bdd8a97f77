"""nnet-pytorch-discriminative-shuffle-egs: twin of nnet3-discriminative-shuffle-egs."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.examples.discriminative_examples import RAW_DISCRIMINATIVE_EXAMPLE
from nnet3_compat.examples.programs import ShuffleOptions, shuffle

USAGE = """Copy examples for discriminative training in random order, all in memory unless --buffer-size is given.
Usage: nnet-pytorch-discriminative-shuffle-egs [options] <egs-rspecifier> <egs-wspecifier>
e.g.: nnet-pytorch-discriminative-shuffle-egs --srand=1 ark:train.degs ark:shuffled.degs"""


def discriminative_shuffle_egs(options: ShuffleOptions, egs_rspecifier: str, egs_wspecifier: str) -> int:
    return shuffle(RAW_DISCRIMINATIVE_EXAMPLE, options, egs_rspecifier, egs_wspecifier)


main = command(discriminative_shuffle_egs, usage=USAGE)

if __name__ == "__main__":
    main()
