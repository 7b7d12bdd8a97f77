"""What programs do with streams of training examples, whatever these are: shuffle, choose, repeat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random
from typing import TypeVar

from kaldi_bridge.c_random import CRandom

T = TypeVar("T")
Entry = tuple[str, T]


def shuffled(entries: Iterable[Entry[T]], random: CRandom, buffer_size: int = 0) -> Iterator[Entry[T]]:
    """All entries in random order; with ``buffer_size`` no more of them in memory, and the order less random.

    With a buffer, the order is that of Kaldi's programs for the same seed.
    """
    if buffer_size <= 0:
        everything = list(entries)
        random.shuffle(everything)
        yield from everything
        return
    buffer: dict[int, Entry[T]] = {}
    for entry in entries:
        place = random.rand_int(0, buffer_size - 1)
        if place in buffer:
            yield buffer[place]
        buffer[place] = entry
    for place in sorted(buffer):
        yield buffer[place]


def random_subset(
    entries: Iterable[Entry[T]], size: int, random: Random, randomize_order: bool
) -> tuple[list[Entry[T]], int]:
    """(``size`` entries chosen at random, or all where there are fewer; how many there were)."""
    chosen: list[Entry[T]] = []
    count = 0
    for entry in entries:
        count += 1
        if len(chosen) < size:
            chosen.append(entry)
        elif random.random() < size / count:
            chosen[random.randrange(size)] = entry
    if randomize_order:
        random.shuffle(chosen)
    return chosen, count


def random_count(expected: float, random: CRandom) -> int:
    """A random integer, next below or above ``expected``, whose mean it is."""
    whole = int(expected)
    return whole + random.with_prob(expected - whole)
