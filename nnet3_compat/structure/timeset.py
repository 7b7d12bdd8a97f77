"""Sets of times as bits of Python integers, and the maps of time that descriptors make.

Which frames of which node must be computed is a question about sets of times. A set is an integer whose bit ``i``
stands for the time ``origin + i``; union, intersection and shift are then single instructions over the whole
utterance, and the recursions through a recurrent network stay cheap.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Universe:
    """The times ``origin, ..., origin + size - 1``; what a map throws outside it is dropped."""

    origin: int
    size: int
    _multiples: dict[tuple[int, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.full = (1 << self.size) - 1

    def single(self, t: int) -> int:
        """The set {t}."""
        i = t - self.origin
        return 1 << i if 0 <= i < self.size else 0

    def interval(self, first: int, last: int) -> int:
        """The set {first, ..., last}, both included."""
        first, last = max(first, self.origin), min(last, self.origin + self.size - 1)
        if last < first:
            return 0
        return ((1 << (last - first + 1)) - 1) << (first - self.origin)

    def from_times(self, times: np.ndarray) -> int:
        """The set of the given times (any order)."""
        bits = np.zeros(self.size, np.uint8)
        index = np.asarray(times, np.int64) - self.origin
        bits[index[(index >= 0) & (index < self.size)]] = 1
        return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")

    def times(self, members: int) -> np.ndarray:
        """The members in increasing order (int64)."""
        data = np.frombuffer(members.to_bytes((self.size + 7) // 8, "little"), np.uint8)
        return np.flatnonzero(np.unpackbits(data, bitorder="little")) + self.origin

    def residue(self, modulus: int, residue: int) -> int:
        """All t with ``t mod modulus == residue`` (the mathematical modulus)."""
        key = (modulus, residue)
        if key not in self._multiples:
            first = (residue - self.origin) % modulus
            count = max(0, -(-(self.size - first) // modulus))
            pattern, have = (1, 1) if count else (0, 0)
            while have < count:  # double the pattern: cheaper than a division of long integers
                take = min(have, count - have)
                pattern |= (pattern & ((1 << (take * modulus)) - 1)) << (have * modulus)
                have += take
            self._multiples[key] = pattern << first
        return self._multiples[key]

    def shift(self, members: int, by: int) -> int:
        """{t + by : t in members}."""
        if abs(by) >= self.size:
            return 0
        return (members << by) & self.full if by >= 0 else members >> -by

    def smear(self, members: int, steps: int, forward: bool) -> int:
        """The union of the members shifted by 0, 1, ..., steps - 1, forward or backward."""
        steps, done = min(steps, self.size), 1
        while done < steps:
            by = min(done, steps - done)
            members |= self.shift(members, by if forward else -by)
            done += by
        return members


@dataclass(frozen=True)
class Shift:
    """t -> t + offset."""

    offset: int

    def image(self, u: Universe, members: int) -> int:
        return u.shift(members, self.offset)

    def preimage(self, u: Universe, members: int) -> int:
        return u.shift(members, -self.offset)

    def apply(self, t: np.ndarray) -> np.ndarray:
        return t + self.offset

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low - self.offset, high - self.offset


@dataclass(frozen=True)
class RoundDown:
    """t -> the greatest multiple of modulus that is not above t."""

    modulus: int

    def image(self, u: Universe, members: int) -> int:
        return u.smear(members, self.modulus, forward=False) & u.residue(self.modulus, 0)

    def preimage(self, u: Universe, members: int) -> int:
        return u.smear(members & u.residue(self.modulus, 0), self.modulus, forward=True)

    def apply(self, t: np.ndarray) -> np.ndarray:
        return t - t % self.modulus

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high + self.modulus - 1


@dataclass(frozen=True)
class Fix:
    """t -> value, whatever t is."""

    value: int

    def image(self, u: Universe, members: int) -> int:
        return u.single(self.value) if members else 0

    def preimage(self, u: Universe, members: int) -> int:
        return u.full if members & u.single(self.value) else 0

    def apply(self, t: np.ndarray) -> np.ndarray:
        return np.full_like(t, self.value)

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        inside = low <= self.value <= high
        return (-np.inf, np.inf) if inside else (np.inf, -np.inf)


@dataclass(frozen=True)
class Only:
    """t -> t, defined only where ``t mod modulus == residue``."""

    modulus: int
    residue: int

    def image(self, u: Universe, members: int) -> int:
        return members & u.residue(self.modulus, self.residue)

    preimage = image

    def apply(self, t: np.ndarray) -> np.ndarray:
        return t

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high


TimeMap = Shift | RoundDown | Fix | Only
