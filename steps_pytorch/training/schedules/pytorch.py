"""Learning rates of torch.optim.lr_scheduler, under its names and with its options.

Those that depend on time alone are run once, over a grid, on an optimizer of no parameters that count; the learning
rate is read from that table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, ReduceLROnPlateau

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from steps_pytorch.training.schedules.learning_rate import SCHEDULES, Course, Schedule

STEPS = 1000  # of the grid


@dataclass
class CosineOptions:
    """``cosine`` has no options."""


@dataclass
class OneCycleOptions:
    """Options of OneCycleLR; it grows to --initial-learning-rate and ends with --final-learning-rate."""

    pct_start: float = option(0.3, "Share of the time in which the learning rate grows")
    anneal_strategy: str = option("cos", "How it changes: cos or linear")
    div_factor: float = option(25.0, "The largest learning rate over that of the start")
    three_phase: bool = option(False, "Back to the start's rate as long as it grew, and only then to the final one")


@dataclass
class PlateauOptions:
    """Options of ReduceLROnPlateau; the learning rate never falls below --final-learning-rate."""

    factor: float = option(0.1, "What the learning rate is multiplied with")
    patience: int = option(10, "Iterations without a better validation objective before that happens")
    threshold: float = option(1e-4, "What is better: by so much")
    # Relative to a negative objective, PyTorch's threshold lets what is a little worse pass as better.
    threshold_mode: str = option("abs", "Whether the threshold is a share, rel, or a difference, abs")
    cooldown: int = option(0, "Iterations after a change before it may happen again")


class Tabulated(Schedule):
    """A schedule of PyTorch's that depends on time alone."""

    def __init__(self, course: Course, make: Callable[[Optimizer], LRScheduler]) -> None:
        super().__init__(course)
        optimizer = _optimizer(course.initial)
        scheduler = make(optimizer)
        rates = [optimizer.param_groups[0]["lr"]]
        for _ in range(STEPS):
            optimizer.step()
            scheduler.step()
            rates.append(optimizer.param_groups[0]["lr"])
        self._rates = np.array(rates)

    def later_rate(self, done: float) -> float:
        return float(np.interp(done * STEPS, np.arange(STEPS + 1), self._rates))


class Plateau(Schedule):
    """Falls where validation gets no better."""

    def __init__(self, course: Course, options: PlateauOptions) -> None:
        super().__init__(course)
        self._optimizer = _optimizer(1.0)
        self._scheduler = ReduceLROnPlateau(
            self._optimizer, mode="max", min_lr=min(1.0, course.final / course.initial), **vars(options)
        )

    def later_rate(self, done: float) -> float:
        return self.course.initial * float(self._optimizer.param_groups[0]["lr"])

    def after_validation(self, objective: float) -> None:
        self._scheduler.step(objective)

    def state_dict(self) -> dict[str, Any]:
        return {"share": self._optimizer.param_groups[0]["lr"], "scheduler": self._scheduler.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._optimizer.param_groups[0]["lr"] = state["share"]
        self._scheduler.load_state_dict(state["scheduler"])


@SCHEDULES.add("cosine", CosineOptions)
def make_cosine(_: CosineOptions, course: Course) -> Schedule:
    """CosineAnnealingLR, to the final rate."""
    return Tabulated(course, lambda optimizer: CosineAnnealingLR(optimizer, STEPS, course.final))


@SCHEDULES.add("one-cycle", OneCycleOptions)
def make_one_cycle(options: OneCycleOptions, course: Course) -> Schedule:
    """OneCycleLR. Raises KaldiError for options that it does not take."""
    if course.warmup or course.hold:
        raise KaldiError("--schedule=one-cycle has a warm-up of its own (pct-start): no --warmup-epochs, --hold-epochs")
    if not 0.0 < options.pct_start < 1.0 or options.div_factor < 1.0:
        raise KaldiError("schedule one-cycle: --pct-start must be between 0 and 1, --div-factor at least 1")
    start = course.initial / options.div_factor
    return _checked(
        "one-cycle",
        lambda: Tabulated(
            course,
            lambda optimizer: OneCycleLR(
                optimizer,
                course.initial,
                total_steps=STEPS + 1,
                cycle_momentum=False,
                final_div_factor=start / course.final,
                **vars(options),
            ),
        ),
    )


@SCHEDULES.add("plateau", PlateauOptions)
def make_plateau(options: PlateauOptions, course: Course) -> Schedule:
    """ReduceLROnPlateau. Raises KaldiError for options that it does not take."""
    if not options.factor > 0.0 or min(options.patience, options.cooldown) < 0:
        raise KaldiError("schedule plateau: --factor must be positive, --patience and --cooldown not negative")
    return _checked("plateau", lambda: Plateau(course, options))


def _optimizer(rate: float) -> Optimizer:
    return SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)


def _checked(name: str, make: Callable[[], Schedule]) -> Schedule:
    try:
        return make()
    except ValueError as error:  # PyTorch's own checks
        raise KaldiError(f"schedule {name}: {error}") from error
