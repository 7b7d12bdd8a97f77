"""nnet-pytorch-copy-egs: twin of nnet3-copy-egs."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples import frame_example_changes as changes
from kaldi_bridge.examples.buffer import shift_times
from kaldi_bridge.examples.frame_examples import RAW_EXAMPLE, NnetExample
from kaldi_bridge.io.text import is_number
from nnet3_compat.examples.copying import ChangeOptions, ContextWarnings, copy_examples

USAGE = """Copy examples, possibly changing them; to several outputs in turn.
Usage: nnet-pytorch-copy-egs [options] <egs-rspecifier> <egs-wspecifier1> [<egs-wspecifier2> ...]
e.g.: nnet-pytorch-copy-egs --frame=random ark:train.egs ark:1.egs ark:2.egs"""


@dataclass
class Options(ChangeOptions):
    """Options of nnet3-copy-egs."""

    frame: str = option("", "Keep the labels of just one frame: its number, or 'random'")


def copy_egs(options: Options, egs_rspecifier: str, first: str, *more: str) -> int:
    if options.frame and options.frame != "random" and not is_number(options.frame.removeprefix("-")):
        raise KaldiError(f"Invalid option --frame='{options.frame}'")
    warnings, random = ContextWarnings(options), CRandom(options.srand)
    changes_frames = bool(options.frame or options.frame_shift or options.reduces_context)

    def change(data: bytes, weight: float | None, name: str | None) -> bytes | None:
        if changes_frames or weight is not None or name is not None:
            example = RAW_EXAMPLE.example(data)
            if weight is not None:
                changes.scale_weight(example, weight)
            if changes_frames and not select(example):
                return None
            if name is not None:
                changes.rename_output(example, name)
            data = RAW_EXAMPLE.data(example)
        return shift_times(data, options.frame_shift) if options.frame_shift else data

    def select(example: NnetExample) -> bool:
        if not changes.select_frame(example, options.frame, random):
            return False
        warnings.observe(*changes.reduce_context(example, options.left_context, options.right_context))
        return True

    counts = copy_examples(RAW_EXAMPLE, options, random, change, egs_rspecifier, [first, *more])
    log.info(
        f"Read {counts.read} neural-network training examples, wrote {counts.written}, "
        f"{counts.bad} examples had errors."
    )
    return 0 if counts.written else 1


main = command(copy_egs, usage=USAGE)

if __name__ == "__main__":
    main()
