"""Numbers that change over a run of training, in the words of train.py --trainer.dropout-schedule.

0,0@0.20,0.3@0.50,0     0 until a fifth of the training is done, 0.3 at its half, 0 at its end, and straight lines
                        between; what has no @ in the middle is at the half
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge.errors import KaldiError


@dataclass(frozen=True)
class PiecewiseLinear:
    """Corners of a function of the share of the training that is done; shares and values between 0 and 1."""

    shares: tuple[float, ...]
    values: tuple[float, ...]

    @classmethod
    def parse(cls, line: str, option: str) -> PiecewiseLinear:
        """``option``: what a person wrote, ``--name=value``. Raises KaldiError naming it for what is no schedule."""
        first, *between, last = line.split(",") if "," in line else (line, "")
        corners = [f"{first}@0", *(word if "@" in word else f"{word}@0.5" for word in between), f"{last}@1"]
        try:
            pairs = [(float(share), float(value)) for value, share in (corner.split("@") for corner in corners)]
        except ValueError:
            pairs = []
        shares, values = tuple(share for share, _ in pairs), tuple(value for _, value in pairs)
        if not pairs or list(shares) != sorted(shares) or not all(0.0 <= n <= 1.0 for pair in pairs for n in pair):
            raise KaldiError(
                f"{option}: expected proportions such as 0,0.3,0 or 0,0@0.20,0.3@0.50,0, with growing shares of the "
                "training after @, all between 0 and 1"
            )
        return cls(shares, values)

    def at(self, done: float) -> float:
        """When so much of the training is done, a number between 0 and 1."""
        return float(np.interp(done, self.shares, self.values))
