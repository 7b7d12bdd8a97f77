"""The random numbers that Kaldi's programs draw, so that the same seed gives the same choices here and there."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

RAND_MAX = (1 << 31) - 1
_LAG, _TAP = 31, 3


class CRandom(Random):
    """rand() of the GNU C library after srand(seed): an additive feedback generator, r[i] = r[i - 3] + r[i - 31]."""

    def seed(self, a: Any = 1, version: int = 2) -> None:
        """Starts anew with a 32-bit integer, which stays known as ``seed_number``."""
        self.seed_number = int(a)
        word = (int(a) + (1 << 31)) % (1 << 32) - (1 << 31) or 1
        state = [word]
        for _ in range(_LAG - 1):
            # 16807 times the word before, modulo 2^31 - 1, as C divides: towards zero.
            quotient = abs(word) // 127773 * (1 if word > 0 else -1)
            word = 16807 * (word - quotient * 127773) - 2836 * quotient
            word += RAND_MAX if word < 0 else 0
            state.append(word)
        self._state = state
        self._at = _TAP
        for _ in range(10 * _LAG):
            self.rand()

    def rand(self) -> int:
        """An integer from 0 to RAND_MAX."""
        state, at = self._state, self._at
        value = (state[at] + state[at - _TAP]) & 0xFFFFFFFF
        state[at] = value
        self._at = at + 1 if at < _LAG - 1 else 0
        return value >> 1

    def random(self) -> float:
        """From 0 to below 1; 53 bits of it, as those of Python's own generator."""
        return ((self.rand() >> 4) * (1 << 26) + (self.rand() >> 5)) / (1 << 53)

    def getrandbits(self, k: int) -> int:
        """An integer of ``k`` bits."""
        value = 0
        for _ in range(0, k, 24):
            value = value << 24 | self.rand() >> 7
        return value >> -k % 24

    def rand_int(self, low: int, high: int) -> int:
        """From ``low`` to ``high``, both included (Kaldi's RandInt)."""
        return low if low == high else low + self.rand() % (high + 1 - low)

    def with_prob(self, probability: float) -> bool:
        """True with this probability (Kaldi's WithProb, which computes in single precision)."""
        p = np.float32(probability)
        if p == 0.0 or p == 1.0:
            return bool(p)
        if float(p) * RAND_MAX < 128.0:
            return self.rand() < RAND_MAX // 128 and self.with_prob(float(p) * 128.0)
        return bool(np.float32(self.rand()) < np.float32(RAND_MAX) * p)
