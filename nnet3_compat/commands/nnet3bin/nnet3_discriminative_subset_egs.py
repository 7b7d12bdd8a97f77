"""nnet-pytorch-discriminative-subset-egs: twin of nnet3-discriminative-subset-egs."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.examples.discriminative_examples import RAW_DISCRIMINATIVE_EXAMPLE
from nnet3_compat.examples.programs import SubsetOptions, subset

USAGE = """Write a random subset of examples for discriminative training; no more than those are in memory.
Usage: nnet-pytorch-discriminative-subset-egs [options] <egs-rspecifier> <egs-wspecifier>
e.g.: nnet-pytorch-discriminative-subset-egs --n=1000 ark:train.degs ark:subset.degs"""


def discriminative_subset_egs(options: SubsetOptions, egs_rspecifier: str, egs_wspecifier: str) -> int:
    return subset(RAW_DISCRIMINATIVE_EXAMPLE, options, egs_rspecifier, egs_wspecifier, "neural-network discriminative")


main = command(discriminative_subset_egs, usage=USAGE)

if __name__ == "__main__":
    main()
