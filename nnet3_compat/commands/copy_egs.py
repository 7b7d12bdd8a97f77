"""nnet-pytorch-copy-egs: twin of nnet3-copy-egs."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from kaldi_bridge import example_changes as changes
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples import EXAMPLE, RAW_EXAMPLE, NnetExample
from nnet3_compat.example_copying import ContextWarnings, CopyOptions, copy_examples

USAGE = """Copy examples, possibly changing them; to several outputs in turn.
Usage: nnet-pytorch-copy-egs [options] <egs-rspecifier> <egs-wspecifier1> [<egs-wspecifier2> ...]
e.g.: nnet-pytorch-copy-egs --frame=random ark:train.egs ark:1.egs ark:2.egs"""


@dataclass
class Options(CopyOptions):
    """Options of nnet3-copy-egs."""

    frame: str = option("", "Keep the labels of just one frame: its number, or 'random'")


def copy_egs(options: Options, egs_rspecifier: str, first: str, *more: str) -> int:
    if options.frame and options.frame != "random" and not options.frame.lstrip("-").isdigit():
        raise KaldiError(f"Invalid option --frame='{options.frame}'")
    warnings, random = ContextWarnings(options), Random(options.srand)

    def change(example: NnetExample, weight: float | None, name: str | None) -> NnetExample | None:
        if weight is not None:
            changes.scale_weight(example, weight)
        if options.frame or options.reduces_context:
            if not changes.select_frame(example, options.frame, random):
                return None
            warnings.observe(*changes.reduce_context(example, options.left_context, options.right_context))
        if options.frame_shift:
            changes.shift_times(example, options.frame_shift)
        if name is not None:
            changes.rename_output(example, name)
        return example

    if not options.changes and not options.frame:
        return copy_examples(RAW_EXAMPLE, options, None, egs_rspecifier, [first, *more])
    return copy_examples(EXAMPLE, options, change, egs_rspecifier, [first, *more])


main = command(copy_egs, usage=USAGE)

if __name__ == "__main__":
    main()
