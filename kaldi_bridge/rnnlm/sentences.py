"""Sentences as the RNNLM programs read them: lines of a weight and the numbers of words."""

from __future__ import annotations

from collections.abc import Iterator

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import fields, shown, strip

_INT32 = 1 << 31


def weighted_sentences(rxfilename: str) -> Iterator[tuple[float, list[int]]]:
    """The weight and the words of each line; there may be no words. Raises KaldiError naming the line."""
    number = 0
    with open_input(rxfilename) as stream:
        for number, line in enumerate(stream.lines(), 1):
            try:
                weight, *numbers = fields(line)
                words = list(map(int, numbers))
                if b"_" in line or (words and not (min(words) >= -_INT32 and max(words) < _INT32)):
                    raise ValueError
                yield float(weight), words
            except ValueError:
                raise KaldiError(
                    f"{stream.name}: line {number}: Could not interpret input: {shown(strip(line))} "
                    "(expected a weight and the numbers of words)"
                ) from None
    log.info(f"Processed {number} lines of input.")
