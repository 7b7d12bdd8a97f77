"""nnet-pytorch-subset-egs: twin of nnet3-subset-egs."""

from __future__ import annotations

from kaldi_bridge.command import command
from kaldi_bridge.examples.frame_examples import RAW_EXAMPLE
from nnet3_compat.examples.programs import SubsetOptions, subset

USAGE = """Write a random subset of training examples; no more than those are in memory.
Usage: nnet-pytorch-subset-egs [options] <egs-rspecifier> <egs-wspecifier>
e.g.: nnet-pytorch-subset-egs --n=1000 ark:train.egs ark:subset.egs"""


def subset_egs(options: SubsetOptions, egs_rspecifier: str, egs_wspecifier: str) -> int:
    return subset(RAW_EXAMPLE, options, egs_rspecifier, egs_wspecifier, "neural-network")


main = command(subset_egs, usage=USAGE)

if __name__ == "__main__":
    main()
