"""How many of the chunks are perturbed, over a run of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from steps_pytorch.piecewise_linear import PiecewiseLinear


class Draws(Protocol):
    """Random numbers, of Python or of NumPy."""

    def random(self) -> float: ...


@dataclass(frozen=True)
class PerturbedShare:
    """The share of the chunks that are perturbed at all; the others are left as they are.

    Attributes:
        schedule: None: all of them.
        num_epochs: of the run.
    """

    schedule: PiecewiseLinear | None = None
    num_epochs: float = 1.0

    def draw(self, epochs: float, random: Draws) -> bool:
        """Whether a chunk is perturbed, after so many epochs."""
        share = 1.0 if self.schedule is None else self.schedule.at(epochs / self.num_epochs)
        return share >= 1.0 or random.random() < share
