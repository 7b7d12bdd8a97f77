"""The learning rate, as a function of how many epochs are done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kaldi_bridge.errors import KaldiError
from steps_pytorch.registry import Registry

WARMUP_START = 0.01  # of the rate that the warm-up ends with


@dataclass(frozen=True)
class Course:
    """What every schedule is told.

    Attributes:
        initial, final: learning rates.
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


class Schedule:
    """Linear warm-up, then a time at the full rate, then what a kind of schedule makes of it."""

    def __init__(self, course: Course) -> None:
        self.course = course

    def rate(self, epochs: float) -> float:
        """The learning rate after so many epochs."""
        course = self.course
        if epochs < course.warmup:
            return course.initial * max(WARMUP_START, epochs / course.warmup)
        begin = course.warmup + course.hold
        if epochs <= begin or begin == course.num_epochs:
            return self.later_rate(0.0)
        return self.later_rate(min(1.0, (epochs - begin) / (course.num_epochs - begin)))

    def later_rate(self, done: float) -> float:
        """The rate when a share of the time after warm-up and hold is over."""
        raise NotImplementedError

    def after_validation(self, objective: float) -> None:
        """Called after each iteration with the validation objective, the higher the better."""

    def state_dict(self) -> dict[str, Any]:
        """What it learned of validation."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Of the same kind of schedule."""


class Decay(Schedule):
    """Decays exponentially, and reaches the final rate with the last epoch; where the two rates are equal, it stays."""

    def later_rate(self, done: float) -> float:
        return self.course.initial * (self.course.final / self.course.initial) ** done


@dataclass
class DecayOptions:
    """``decay`` has no options."""


SCHEDULES = Registry[Schedule]("schedule", "steps_pytorch.training.schedules", ("learning_rate", "pytorch"))


@SCHEDULES.add("decay", DecayOptions)
def make_decay(_: DecayOptions, course: Course) -> Schedule:
    """Exponential decay."""
    return Decay(course)
