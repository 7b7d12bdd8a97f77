"""nnet-pytorch-chain-subset-egs: twin of nnet3-chain-subset-egs."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.examples.chain_examples import RAW_CHAIN_EXAMPLE
from nnet3_compat.examples.programs import SubsetOptions, subset

USAGE = """Write a random subset of chain examples; no more than those are in memory.
Usage: nnet-pytorch-chain-subset-egs [options] <egs-rspecifier> <egs-wspecifier>
e.g.: nnet-pytorch-chain-subset-egs --n=1000 ark:train.cegs ark:subset.cegs"""


def chain_subset_egs(options: SubsetOptions, egs_rspecifier: str, egs_wspecifier: str) -> int:
    return subset(RAW_CHAIN_EXAMPLE, options, egs_rspecifier, egs_wspecifier, "nnet3+chain")


main = command(chain_subset_egs, usage=USAGE)

if __name__ == "__main__":
    main()
