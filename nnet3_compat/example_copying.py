"""Copying examples of any kind, changed on the way, to several tables (nnet3-copy-egs, nnet3-chain-copy-egs)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.example_streams import random_count
from kaldi_bridge.holders import FLOAT, TOKEN, Holder
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter

T = TypeVar("T")


@dataclass
class CopyOptions:
    """Options of both programs."""

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

    @property
    def changes(self) -> bool:
        """Whether any example will be another one than it was."""
        return bool(self.frame_shift or self.weights or self.outputs or self.reduces_context)

    @property
    def reduces_context(self) -> bool:
        return self.left_context != -1 or self.right_context != -1


class ContextWarnings:
    """One warning for each side where examples have less context than is asked for."""

    def __init__(self, options: CopyOptions) -> None:
        self._wanted = {"left": options.left_context, "right": options.right_context}
        self._warned: set[str] = set()

    def observe(self, left: int, right: int) -> None:
        """The contexts that an example had."""
        for (side, wanted), observed in zip(self._wanted.items(), (left, right), strict=True):
            if observed < wanted and side not in self._warned:
                self._warned.add(side)
                log.warning(
                    f"You requested --{side}-context={wanted}, but example only has {side}-context of {observed} "
                    "(will warn only once; harmless at the ends of utterances with contexts of their own)"
                )


def copy_examples(
    holder: Holder[T],
    options: CopyOptions,
    change: Callable[[T, float | None, str | None], T | None] | None,
    rspecifier: str,
    wspecifiers: list[str],
) -> int:
    """Copies a table; ``change`` gets an example, its weight and its new name, and returns None to leave it out.

    None for ``change``: examples stay as they are.
    """
    if options.keep_proportion < 0:
        raise KaldiError(f"--keep-proportion={options.keep_proportion:g} must not be negative")
    random = Random(options.srand)
    num_read = num_written = num_bad = 0
    with ExitStack() as stack:
        weights = stack.enter_context(RandomAccessReader(options.weights, FLOAT)) if options.weights else None
        names = stack.enter_context(RandomAccessReader(options.outputs, TOKEN)) if options.outputs else None
        writers = [stack.enter_context(TableWriter(wspecifier, holder)) for wspecifier in wspecifiers]
        for key, example in stack.enter_context(SequentialReader(rspecifier, holder)):
            num_read += 1
            count = random_count(options.keep_proportion, random)
            missing = [
                what
                for what, table in (("weight", weights), ("new output-name", names))
                if table is not None and key not in table
            ]
            if missing:
                log.warning(f"No {missing[0]} for example key {key}")
                num_bad += 1
                continue
            weight, name = weights[key] if weights is not None else None, names[key] if names is not None else None
            changed = change(example, weight, name) if change is not None else example
            for _ in range(count if changed is not None else 0):
                place = random.randrange(len(writers)) if options.random else num_written % len(writers)
                writers[place].write(key, changed)  # type: ignore[arg-type]
                num_written += 1
    log.info(f"Read {num_read} neural-network training examples, wrote {num_written}, {num_bad} examples had errors.")
    return 0 if num_written else 1
