"""The rules for how many examples make a minibatch: --minibatch-size (nnet3/nnet-example-utils.cc)."""

from __future__ import annotations

import re

from kaldi_bridge.errors import KaldiError

_SIZES = r"\d{1,9}(?::\d{1,9})?(?:,\d{1,9}(?::\d{1,9})?)*"
_RULE = re.compile(rf"(?:(\d{{1,9}})=)?({_SIZES})\Z")


class MinibatchSizes:
    """``128``; ``64:128,256`` (ranges and single sizes); ``50=64,32/150=32``: by the size of the example.

    The size of an example is the largest number of rows of any of its inputs and outputs; the rule for the nearest size
    counts. Until the input ends, minibatches have the largest size of all.
    """

    def __init__(self, text: str) -> None:
        """Raises KaldiError when the text is not of this form."""
        self._rules: dict[int, list[tuple[int, int]]] = {}
        parts = text.split("/")
        for part in parts:
            match = _RULE.match(part)
            if match is None or (match[1] is None and len(parts) > 1):
                raise KaldiError(f"Could not parse option --minibatch-size={text}")
            size = int(match[1] or 0)
            if size in self._rules:
                raise KaldiError(f"Invalid --minibatch-size={text} (repeated example-sizes)")
            ranges = []
            for item in match[2].split(","):
                low, _, high = item.partition(":")
                ranges.append((int(low), int(high or low)))
            if any(not 0 < low <= high for low, high in ranges):
                raise KaldiError(f"Could not parse option --minibatch-size={text}")
            self._rules[size] = ranges

    def _ranges(self, example_size: int) -> list[tuple[int, int]]:
        return self._rules[min(self._rules, key=lambda size: abs(size - example_size))]

    def largest(self, example_size: int) -> int:
        """How many examples of this size make a full minibatch."""
        return max(high for _, high in self._ranges(example_size))

    def at_end(self, example_size: int, available: int) -> int:
        """How many of the ``available`` examples to take when no more will come; 0: none can be used."""
        return max((min(high, available) for low, high in self._ranges(example_size) if available >= low), default=0)
