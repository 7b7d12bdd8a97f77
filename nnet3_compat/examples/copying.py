"""Copying examples of any kind, changed on the way, to several tables (nnet3-copy-egs, nnet3-chain-copy-egs)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.streams import random_count
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT, TOKEN, Holder


@dataclass
class CopyOptions:
    """Options of all of them, and the only ones of nnet3-discriminative-copy-egs."""

    random: bool = option(False, "Write examples to a random output, not to one after the other")
    srand: int = option(0, "Seed for random number generator (for --random=true or --keep-proportion)")
    keep_proportion: float = option(
        1.0, "Keep this proportion of the examples at random; >1: copy each that many times"
    )
    frame_shift: int = option(
        0, "Shift the time of all but i-vectors; outputs by the nearest multiple of the frame subsampling factor"
    )


@dataclass
class ChangeOptions(CopyOptions):
    """Options of nnet3-copy-egs and nnet3-chain-copy-egs."""

    left_context: int = option(-1, "Truncate the left context of the features to this many frames")
    right_context: int = option(-1, "Truncate the right context of the features to this many frames")
    weights: str = option("", "Rspecifier of a weight for each key, to scale the supervision with")
    outputs: str = option("", "Rspecifier of a name for each key, for the supervision of 'output'")

    @property
    def reduces_context(self) -> bool:
        return self.left_context != -1 or self.right_context != -1


class ContextWarnings:
    """One warning for each side where examples have less context than is asked for."""

    def __init__(self, options: ChangeOptions) -> None:
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


@dataclass
class CopyCounts:
    """Examples that were read, that were written, and that could not be copied."""

    read: int = 0
    written: int = 0
    bad: int = 0


def copy_examples(
    holder: Holder[bytes],
    options: CopyOptions,
    random: CRandom,
    change: Callable[[bytes, float | None, str | None], bytes | None],
    rspecifier: str,
    wspecifiers: list[str],
) -> CopyCounts:
    """Copies a table of examples as bytes.

    ``change`` gets an example, its weight and its new name, where the options have these, and returns None to leave it
    out. The numbers drawn are those that Kaldi draws.
    """
    if options.keep_proportion < 0:
        raise KaldiError(f"--keep-proportion={options.keep_proportion:g} must not be negative")
    counts = CopyCounts()
    changes = options if isinstance(options, ChangeOptions) else ChangeOptions()
    with ExitStack() as stack:
        weights = stack.enter_context(RandomAccessReader(changes.weights, FLOAT)) if changes.weights else None
        names = stack.enter_context(RandomAccessReader(changes.outputs, TOKEN)) if changes.outputs else None
        writers = [stack.enter_context(TableWriter(wspecifier, holder)) for wspecifier in wspecifiers]
        for key, example in stack.enter_context(SequentialReader(rspecifier, holder)):
            counts.read += 1
            copies = random_count(options.keep_proportion, random)
            missing = [
                what
                for what, table in (("weight", weights), ("new output-name", names))
                if table is not None and key not in table
            ]
            if missing:
                log.warning(f"No {missing[0]} for example key {key}")
                counts.bad += 1
                continue
            weight, name = weights[key] if weights is not None else None, names[key] if names is not None else None
            for _ in range(copies):
                place = (random.rand() if options.random else counts.written) % len(writers)
                changed = change(example, weight, name)
                if changed is not None:
                    writers[place].write(key, changed)
                    counts.written += 1
    return counts
