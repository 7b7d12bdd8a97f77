"""nnet-pytorch-chain-copy-egs: twin of nnet3-chain-copy-egs."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import chain_example_changes as changes
from kaldi_bridge.chain_examples import CHAIN_EXAMPLE, RAW_CHAIN_EXAMPLE, ChainExample
from kaldi_bridge.command import command
from nnet3_compat.example_copying import ContextWarnings, CopyOptions, copy_examples

USAGE = """Copy chain examples, possibly changing them; to several outputs in turn.
Usage: nnet-pytorch-chain-copy-egs [options] <egs-rspecifier> <egs-wspecifier1> [<egs-wspecifier2> ...]
e.g.: nnet-pytorch-chain-copy-egs --frame-shift=1 ark:train.cegs ark:1.cegs ark:2.cegs"""


@dataclass
class Options(CopyOptions):
    """Options of nnet3-chain-copy-egs."""


def chain_copy_egs(options: Options, egs_rspecifier: str, first: str, *more: str) -> int:
    warnings = ContextWarnings(options)

    def change(example: ChainExample, weight: float | None, name: str | None) -> ChainExample:
        if weight is not None:
            changes.scale_weight(example, weight)
        if name is not None:
            changes.rename_output(example, name)
        if options.frame_shift:
            changes.shift_times(example, options.frame_shift)
        if options.reduces_context:
            warnings.observe(*changes.reduce_context(example, options.left_context, options.right_context))
        return example

    if not options.changes:
        return copy_examples(RAW_CHAIN_EXAMPLE, options, None, egs_rspecifier, [first, *more])
    return copy_examples(CHAIN_EXAMPLE, options, change, egs_rspecifier, [first, *more])


main = command(chain_copy_egs, usage=USAGE)

if __name__ == "__main__":
    main()
