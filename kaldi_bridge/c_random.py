"""The random numbers that Kaldi's programs draw, so that the same seed gives the same choices here and there."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from kaldi_bridge.extension import _csrc

RAND_MAX = (1 << 31) - 1
_LAG, _TAP = 31, 3


class CRandom(Random):
    """rand() of the GNU C library after srand(seed): an additive feedback generator, r[i] = r[i - 3] + r[i - 31].

    ``core``: the numbers themselves, for what draws them in C++.
    """

    def seed(self, a: Any = 1, version: int = 2) -> None:
        """Starts anew with a 32-bit integer, which stays known as ``seed_number``."""
        self.seed_number = int(a)
        word = (int(a) + (1 << 31)) % (1 << 32) - (1 << 31) or 1
        state = [word % (1 << 32)]
        for _ in range(_LAG - 1):
            # 16807 times the word before, modulo 2^31 - 1, as C divides: towards zero.
            quotient = abs(word) // 127773 * (1 if word > 0 else -1)
            word = 16807 * (word - quotient * 127773) - 2836 * quotient
            word += RAND_MAX if word < 0 else 0
            state.append(word)
        self.core = _csrc.CRandom(state[_TAP:] + state[:_TAP])
        for _ in range(10 * _LAG):
            self.rand()

    def rand(self) -> int:
        """An integer from 0 to RAND_MAX."""
        value: int = self.core.rand()
        return value

    def rands(self, count: int) -> np.ndarray:
        """As many calls of ``rand``, int64 [count]."""
        values = _csrc.additive_feedback(self.values, count)
        self.values = values[count:].tolist()
        return (values[_LAG:] >> np.uint32(1)).astype(np.int64)

    @property
    def values(self) -> list[int]:
        """The 31 numbers that all later ones follow from, the oldest first."""
        ordered: list[int] = self.core.values
        return ordered

    @values.setter
    def values(self, values: list[int]) -> None:
        self.core.values = values

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

    def uniforms(self, count: int) -> np.ndarray:
        """float32 [count], between 0 and 1 (Kaldi's RandUniform)."""
        return ((self.rands(count) + 1.0) / (RAND_MAX + 2.0)).astype(np.float32)

    def gaussians(self, count: int) -> np.ndarray:
        """float32 [count], normally distributed, each from two uniform numbers (Kaldi's RandGauss).

        Kaldi's compiler may compute the second uniform number first: gcc does.
        """
        uniforms = self.uniforms(2 * count).reshape(-1, 2).astype(np.float64)
        angle = (2 * np.pi * uniforms[:, 1]).astype(np.float32)
        # Of double precision, as NumPy's functions of single precision are less exact than those of C.
        logarithm, cosine = np.log(uniforms[:, 0]).astype(np.float32), np.cos(angle.astype(np.float64))
        return np.sqrt(-2 * logarithm) * cosine.astype(np.float32)


def reentrant_rand(seed: int, count: int) -> np.ndarray:
    """int64 [count], what rand_r() of the GNU C library gives one after the other: ten bits of three steps each."""
    factors = np.full(3 * count, 1103515245, np.uint32)
    powers = np.multiply.accumulate(factors, dtype=np.uint32)
    sums = np.add.accumulate(np.concatenate([[1], powers[:-1]]).astype(np.uint32), dtype=np.uint32)
    states = (powers * np.uint32(seed) + sums * np.uint32(12345)).reshape(count, 3).astype(np.int64) >> 16
    return (states[:, 0] % 2048) << 20 ^ (states[:, 1] % 1024) << 10 ^ states[:, 2] % 1024


def normal_matrix(rows: int, columns: int, random: CRandom) -> np.ndarray:
    """float32 [rows, columns], normally distributed (MatrixBase::SetRandn): one draw of ``random`` is the seed."""
    seed = (random.rand() + 27437) % (1 << 32)
    uniforms = (reentrant_rand(seed, rows * (columns + columns % 2)) + 1.0) / (RAND_MAX + 2.0)
    pairs = uniforms.astype(np.float32).reshape(rows, -1, 2)
    radius = np.sqrt(np.float32(-2) * np.log(pairs[..., 0]))
    angle = (2 * np.pi * pairs[..., 1].astype(np.float64)).astype(np.float32)
    drawn: np.ndarray = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    return drawn.reshape(rows, -1)[:, :columns]
