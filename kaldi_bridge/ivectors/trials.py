"""Trials, pairs of a speaker and an utterance whose i-vectors are compared, and files of their scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.basic_io import format_float
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.io.text import encode, shown, words


class Keys(Protocol):
    """A table, or anything else that knows whether it has a key."""

    def __contains__(self, key: str, /) -> bool: ...


class Trials:
    """Yields the two keys of each line of a file; those that a table lacks are warned of and left out.

    ``names``: what the tables are called in warnings. ``failed``: how many trials were left out.
    Raises KaldiError for a line of more or fewer keys.
    """

    def __init__(self, rxfilename: str, first: Keys, second: Keys, names: tuple[str, str]) -> None:
        self.failed = 0
        self._rxfilename, self._tables, self._names = rxfilename, (first, second), names

    def __iter__(self) -> Iterator[tuple[str, str]]:
        with open_input(self._rxfilename) as stream:
            for number, line in enumerate(stream.lines()):
                keys = words(line)
                if len(keys) != 2:
                    raise KaldiError(
                        f"{self._rxfilename}: Bad line {number} in input (expected two fields: key1 key2): "
                        f"{shown(line)}"
                    )
                if all(map(self._has, keys, self._tables, self._names)):
                    yield keys[0], keys[1]
                else:
                    self.failed += 1

    def _has(self, key: str, table: Keys, name: str) -> bool:
        if key in table:
            return True
        log.warning(f"Key {key} not present in {name}.")
        return False


def write_scores(wxfilename: str, scored: Iterable[tuple[str, str, float]], what: str) -> int:
    """Writes a line for each (key, key, float32 score), and tells mean and deviation of ``what``; returns how many."""
    scores = []
    with open_output(wxfilename) as stream:
        for first, second, score in scored:
            stream.write(encode(f"{first} {second} {format_float(score)}\n"))
            scores.append(score)
    if scores:
        log.info(f"Mean {what} was {np.mean(scores):g}, standard deviation was {np.std(scores):g}")
    return len(scores)
