"""The learning rate, as a function of how many epochs are done."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.errors import KaldiError

WARMUP_START = 0.01  # of the rate that the warm-up ends with


@dataclass(frozen=True)
class Schedule:
    """Linear warm-up, then a time at the full rate, then exponential decay that reaches ``final`` with the last epoch.

    Attributes:
        initial, final: learning rates. They are equal where there is no decay.
        num_epochs: of the whole run.
        warmup, hold: epochs, fractions included.
    """

    initial: float
    final: float
    num_epochs: float
    warmup: float = 0.0
    hold: float = 0.0

    def __post_init__(self) -> None:
        if self.initial <= 0.0 or self.final <= 0.0:
            raise KaldiError("learning rates must be positive")
        if min(self.warmup, self.hold) < 0.0 or self.warmup + self.hold > self.num_epochs:
            raise KaldiError(
                f"a warm-up of {self.warmup:g} and {self.hold:g} epochs at the full learning rate do not fit into "
                f"{self.num_epochs:g} epochs"
            )

    def rate(self, epochs: float) -> float:
        """The learning rate after so many epochs."""
        if epochs < self.warmup:
            return self.initial * max(WARMUP_START, epochs / self.warmup)
        begin = self.warmup + self.hold
        if epochs <= begin or begin == self.num_epochs:
            return self.initial
        done = min(1.0, (epochs - begin) / (self.num_epochs - begin))
        return self.initial * (self.final / self.initial) ** done
