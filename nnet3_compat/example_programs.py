"""What the programs that shuffle or choose examples do, for examples of any kind."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TypeVar

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.example_streams import random_subset, shuffled
from kaldi_bridge.holders import Holder
from kaldi_bridge.tables import SequentialReader, TableWriter

T = TypeVar("T")


@dataclass
class ShuffleOptions:
    """Options of nnet3-shuffle-egs and nnet3-chain-shuffle-egs."""

    srand: int = option(0, "Seed for random number generator")
    buffer_size: int = option(
        0, "If >0, size of a buffer for partial randomization in limited memory. Otherwise, full randomization."
    )


def shuffle(holder: Holder[T], options: ShuffleOptions, rspecifier: str, wspecifier: str) -> int:
    """Copies a table of examples in random order."""
    count = 0
    with SequentialReader(rspecifier, holder) as examples, TableWriter(wspecifier, holder) as writer:
        for key, example in shuffled(examples, Random(options.srand), options.buffer_size):
            writer.write(key, example)
            count += 1
    how = "using a buffer (partial randomization)" if options.buffer_size else ""
    log.info(f"Shuffled order of {count} neural-network training examples {how}")
    return 0 if count else 1


@dataclass
class SubsetOptions:
    """Options of nnet3-subset-egs and nnet3-chain-subset-egs."""

    srand: int = option(0, "Seed for random number generator")
    n: int = option(1000, "Number of examples to output")
    randomize_order: bool = option(True, "If true, randomize the order of the output")


def subset(holder: Holder[T], options: SubsetOptions, rspecifier: str, wspecifier: str) -> int:
    """Writes a random subset of a table of examples."""
    if options.n < 0:
        raise KaldiError(f"--n={options.n} must not be negative")
    with SequentialReader(rspecifier, holder) as examples:
        chosen, count = random_subset(examples, options.n, Random(options.srand), options.randomize_order)
    with TableWriter(wspecifier, holder) as writer:
        for key, example in chosen:
            writer.write(key, example)
    log.info(f"Selected a subset of {len(chosen)} out of {count} neural-network training examples")
    return 0 if count else 1
