"""nnet-pytorch-chain-shuffle-egs: twin of nnet3-chain-shuffle-egs."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.examples.chain_examples import RAW_CHAIN_EXAMPLE
from nnet3_compat.examples.programs import ShuffleOptions, shuffle

USAGE = """Copy chain examples in random order, all of them in memory unless --buffer-size is given.
Usage: nnet-pytorch-chain-shuffle-egs [options] <egs-rspecifier> <egs-wspecifier>
e.g.: nnet-pytorch-chain-shuffle-egs --srand=1 ark:train.cegs ark:shuffled.cegs"""


def chain_shuffle_egs(options: ShuffleOptions, egs_rspecifier: str, egs_wspecifier: str) -> int:
    return shuffle(RAW_CHAIN_EXAMPLE, options, egs_rspecifier, egs_wspecifier)


main = command(chain_shuffle_egs, usage=USAGE)

if __name__ == "__main__":
    main()
