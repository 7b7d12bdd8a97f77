"""nnet-pytorch-chain-copy-egs: twin of nnet3-chain-copy-egs."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command
from kaldi_bridge.examples import chain_example_changes as changes
from kaldi_bridge.examples.buffer import shift_times
from kaldi_bridge.examples.chain_examples import RAW_CHAIN_EXAMPLE
from nnet3_compat.examples.copying import ChangeOptions, ContextWarnings, copy_examples

USAGE = """Copy chain examples, possibly changing them; to several outputs in turn.
Usage: nnet-pytorch-chain-copy-egs [options] <egs-rspecifier> <egs-wspecifier1> [<egs-wspecifier2> ...]
e.g.: nnet-pytorch-chain-copy-egs --frame-shift=1 ark:train.cegs ark:1.cegs ark:2.cegs"""


@dataclass
class Options(ChangeOptions):
    """Options of nnet3-chain-copy-egs."""


def chain_copy_egs(options: Options, egs_rspecifier: str, first: str, *more: str) -> int:
    warnings = ContextWarnings(options)

    def change(data: bytes, weight: float | None, name: str | None) -> bytes:
        if options.frame_shift:
            data = shift_times(data, options.frame_shift)
        if weight is None and name is None and not options.reduces_context:
            return data
        example = RAW_CHAIN_EXAMPLE.example(data)
        if weight is not None:
            changes.scale_weight(example, weight)
        if name is not None:
            changes.rename_output(example, name)
        if options.reduces_context:
            warnings.observe(*changes.reduce_context(example, options.left_context, options.right_context))
        return RAW_CHAIN_EXAMPLE.data(example)

    counts = copy_examples(RAW_CHAIN_EXAMPLE, options, CRandom(options.srand), change, egs_rspecifier, [first, *more])
    log.info(f"Read {counts.read} neural-network training examples, wrote {counts.written}")
    return 0 if counts.written else 1


main = command(chain_copy_egs, usage=USAGE)

if __name__ == "__main__":
    main()
