"""nnet-pytorch-chain-copy-egs: twin of nnet3-chain-copy-egs."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from random import Random

from kaldi_bridge import chain_example_changes as changes
from kaldi_bridge import log
from kaldi_bridge.chain_examples import CHAIN_EXAMPLE, ChainExample
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.example_streams import random_count
from kaldi_bridge.holders import FLOAT, TOKEN
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter

USAGE = """Copy chain examples, possibly changing them; to several outputs in turn.
Usage: nnet-pytorch-chain-copy-egs [options] <egs-rspecifier> <egs-wspecifier1> [<egs-wspecifier2> ...]
e.g.: nnet-pytorch-chain-copy-egs --frame-shift=1 ark:train.cegs ark:1.cegs ark:2.cegs"""


@dataclass
class Options:
    """Options of nnet3-chain-copy-egs."""

    random: bool = option(False, "Write examples to a random output, not to one after the other")
    srand: int = option(0, "Seed for random number generator (for --random=true or --keep-proportion)")
    keep_proportion: float = option(
        1.0, "Keep this proportion of the examples at random; >1: copy each that many times"
    )
    frame_shift: int = option(
        0, "Shift the time of all but i-vectors; outputs by the nearest multiple of the frame subsampling factor"
    )
    left_context: int = option(-1, "Truncate the left context of the features to this many frames")
    right_context: int = option(-1, "Truncate the right context of the features to this many frames")
    weights: str = option("", "Rspecifier of a weight for each key, to scale the supervision with")
    outputs: str = option("", "Rspecifier of a name for each key, for the supervision of 'output'")


def chain_copy_egs(options: Options, egs_rspecifier: str, first: str, *more: str) -> int:
    if options.keep_proportion < 0:
        raise KaldiError(f"--keep-proportion={options.keep_proportion:g} must not be negative")
    random = Random(options.srand)
    num_read = num_written = 0
    with ExitStack() as stack:
        weights = stack.enter_context(RandomAccessReader(options.weights, FLOAT)) if options.weights else None
        names = stack.enter_context(RandomAccessReader(options.outputs, TOKEN)) if options.outputs else None
        writers = [stack.enter_context(TableWriter(wspecifier, CHAIN_EXAMPLE)) for wspecifier in (first, *more)]
        examples = stack.enter_context(SequentialReader(egs_rspecifier, CHAIN_EXAMPLE))
        contexts = _Contexts(options.left_context, options.right_context)
        for key, example in examples:
            num_read += 1
            count = random_count(options.keep_proportion, random)
            if weights is not None:
                if key not in weights:
                    log.warning(f"No weight for example key {key}")
                    continue
                changes.scale_weight(example, weights[key])
            if names is not None:
                if key not in names:
                    log.warning(f"No new output-name for example key {key}")
                    continue
                changes.rename_output(example, names[key])
            if options.frame_shift:
                changes.shift_times(example, options.frame_shift)
            contexts.reduce(example)
            for _ in range(count):
                place = random.randrange(len(writers)) if options.random else num_written % len(writers)
                writers[place].write(key, example)
                num_written += 1
    log.info(f"Read {num_read} neural-network training examples, wrote {num_written}")
    return 0 if num_written else 1


class _Contexts:
    """--left-context and --right-context, with one warning for each."""

    def __init__(self, left: int, right: int) -> None:
        self._wanted = {"left": left, "right": right}
        self._warned: set[str] = set()

    def reduce(self, example: ChainExample) -> None:
        if all(context == -1 for context in self._wanted.values()):
            return
        had = changes.reduce_context(example, self._wanted["left"], self._wanted["right"])
        for (side, wanted), observed in zip(self._wanted.items(), had, strict=True):
            if observed < wanted and side not in self._warned:
                self._warned.add(side)
                log.warning(
                    f"You requested --{side}-context={wanted}, but example only has {side}-context of {observed} "
                    "(will warn only once; harmless at the ends of utterances with contexts of their own)"
                )


main = command(chain_copy_egs, usage=USAGE)

if __name__ == "__main__":
    main()
