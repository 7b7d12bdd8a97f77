"""nnet-pytorch-discriminative-copy-egs: twin of nnet3-discriminative-copy-egs."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command
from kaldi_bridge.examples.buffer import shift_times
from kaldi_bridge.examples.discriminative_examples import RAW_DISCRIMINATIVE_EXAMPLE
from nnet3_compat.examples.copying import CopyOptions, copy_examples

USAGE = """Copy examples for discriminative training, possibly shifted in time; to several outputs in turn.
Usage: nnet-pytorch-discriminative-copy-egs [options] <egs-rspecifier> <egs-wspecifier1> [<egs-wspecifier2> ...]
e.g.: nnet-pytorch-discriminative-copy-egs ark:train.degs ark:1.degs ark:2.degs"""


def discriminative_copy_egs(options: CopyOptions, egs_rspecifier: str, first: str, *more: str) -> int:
    def change(data: bytes, weight: float | None, name: str | None) -> bytes:
        return shift_times(data, options.frame_shift) if options.frame_shift else data

    random = CRandom(options.srand)
    counts = copy_examples(RAW_DISCRIMINATIVE_EXAMPLE, options, random, change, egs_rspecifier, [first, *more])
    log.info(f"Read {counts.read} neural-network training examples, wrote {counts.written}")
    return 0 if counts.written else 1


main = command(discriminative_copy_egs, usage=USAGE)

if __name__ == "__main__":
    main()
