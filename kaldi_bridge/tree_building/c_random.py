"""The numbers that C's rand() gives in the GNU library, which Kaldi draws from where it needs some at random.

With the same numbers come the same questions, and then the same trees.
"""

from __future__ import annotations

from collections import deque


class CRandom:
    """rand() of a program that never called srand(): an additive feedback generator of order 31."""

    def __init__(self) -> None:
        first = [1]
        for _ in range(30):
            first.append(16807 * first[-1] % 2147483647)
        self._last = deque([*first, *first[:3]], maxlen=31)
        for _ in range(310):
            self()

    def __call__(self) -> int:
        """The next number, from 0 to 2 ** 31 - 1."""
        self._last.append((self._last[-3] + self._last[0]) & 0xFFFFFFFF)
        return self._last[-1] >> 1
