"""The training loop.

    update      one or more minibatches forward and backward, then a step of the optimizer
    iteration   a part of an epoch (or several); then validation, a checkpoint, a line in the log
    epoch       once through the data

A seed fixes a run. It can be killed at any instant: started again, it goes on from the last checkpoint and ends with
the parameters that it would have had undisturbed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from steps_pytorch.data.batch import Batch
from steps_pytorch.group import Group
from steps_pytorch.models.base import Model
from steps_pytorch.objectives.base import Objective, Term
from steps_pytorch.training.optimizers.base import Optimizer
from steps_pytorch.training.report.meter import Meter, means, summed
from steps_pytorch.training.report.report import Report
from steps_pytorch.training.run.averaging import MovingAverage
from steps_pytorch.training.run.checkpoints import Checkpoints
from steps_pytorch.training.run.precision import autocast
from steps_pytorch.training.schedules.dropout import DropoutSchedule
from steps_pytorch.training.schedules.learning_rate import Schedule

EPSILON = 1e-9  # of an epoch


class Loader(Protocol):
    """Minibatches of this process's share, epoch after epoch without end."""

    @property
    def epochs(self) -> float:
        """How many are done, by all processes together, fractions included: of the minibatches that were taken."""

    def __next__(self) -> Batch | None:
        """None for a minibatch of which nothing can be used: processes that train together stay together."""

    def state_dict(self) -> dict[str, Any]:
        """The position; the same for all processes."""

    def load_state_dict(self, state: dict[str, Any]) -> None: ...

    def close(self) -> None:
        """No more minibatches are wanted for now."""


@dataclass
class Settings:
    """Attributes:
    num_epochs: of the run.
    iterations_per_epoch: may be below one.
    accumulate: minibatches of an update.
    precision: float32, bfloat16 or float16.
    """

    num_epochs: float
    iterations_per_epoch: float = 1.0
    accumulate: int = 1
    precision: str = "float32"


@dataclass
class Parts:
    """What is trained, how, and on what."""

    model: Model
    objective: Objective
    optimizer: Optimizer
    schedule: Schedule
    loader: Loader
    valid: Iterable[Batch]
    average: MovingAverage | None = None
    dropout: DropoutSchedule | None = None

    def state(self) -> dict[str, Any]:
        """All that a later process needs to go on as if it were this one."""
        dimensions = ("feature_dim", "num_pdfs", "ivector_dim", "frame_subsampling_factor")
        return {
            "dimensions": {name: getattr(self.model, name) for name in dimensions},
            "model": self.model.state_dict(),
            "objective": self.objective.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "loader": self.loader.state_dict(),
            "average": self.average.state_dict() if self.average else {},
            "random": torch.get_rng_state(),
            "cuda_random": torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None,
        }

    def load(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.objective.load_state_dict(state["objective"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.loader.load_state_dict(state["loader"])
        if self.average:
            self.average.load_state_dict(state["average"])
        torch.set_rng_state(state["random"])
        if state["cuda_random"] is not None and torch.cuda.is_available():
            torch.cuda.set_rng_state(state["cuda_random"])


def train(parts: Parts, settings: Settings, group: Group, checkpoints: Checkpoints, report: Report) -> None:
    """Trains from the last checkpoint, if there is one, to the end.

    Raises:
        KaldiError: a file cannot be read or written, data and model do not fit, or a whole iteration was of no use.
    """
    iteration = group.number_of_first(checkpoints.newest() or 0)
    if iteration:
        state = checkpoints.load(iteration)
        parts.load(state)
        report.go_on(state["report"])
        log.info(f"Going on after iteration {iteration}, {parts.loader.epochs:.2f} epochs")
    else:
        report.begin()
    while parts.loader.epochs < settings.num_epochs - EPSILON:
        iteration += 1
        until = min(settings.num_epochs, iteration / settings.iterations_per_epoch)
        meter = train_until(until, parts, settings, group, report).gathered(group)
        end_iteration(parts, group, report, meter)
        checkpoints.save(iteration, {**parts.state(), "report": report.state()})
    parts.loader.close()


def end_iteration(parts: Parts, group: Group, report: Report, meter: Meter) -> None:
    """Validates, and tells it to the report and to the schedule."""
    epochs = parts.loader.epochs
    valid = validate(parts.model, parts.objective, parts.valid, group)
    report.iteration(epochs, parts.schedule.rate(epochs), meter, valid)
    if valid:
        parts.schedule.after_validation(next(iter(valid.values())))


def train_until(epochs: float, parts: Parts, settings: Settings, group: Group, report: Report) -> Meter:
    """Updates until so many epochs are done."""
    model, objective, optimizer, loader = parts.model, parts.objective, parts.optimizer, parts.loader
    model.train()
    objective.train()
    meter = Meter()
    while loader.epochs < epochs - EPSILON:
        rate = parts.schedule.rate(loader.epochs)
        if parts.dropout:
            parts.dropout.apply(loader.epochs / settings.num_epochs)
        frames, sequences = 0.0, 0
        for _ in range(settings.accumulate):
            started = time.perf_counter()
            batch = next(loader)
            meter.waited += time.perf_counter() - started
            if batch is None:
                continue
            batch = batch.to(group.device)
            optimizer.before_minibatch()
            with autocast(settings.precision, group.device):
                loss = objective(model, batch)
            meter.add(loss, batch, model.frame_subsampling_factor)
            if loss.ok:
                optimizer.backward(loss.loss * (loss.weight * batch.weight))
                frames += loss.weight
                sequences += len(batch.features)
            else:
                report.bad_minibatch(batch)
        if optimizer.step(rate, frames, sequences):
            meter.updates += 1
            objective.after_update(model)
            if parts.average:
                parts.average.update()
        else:
            meter.skipped += bool(frames)
        report.update(loader.epochs, rate, meter)
    if meter.skipped and not meter.updates:
        raise KaldiError(
            f"none of {meter.skipped} minibatches could be used: infinities or NaNs in all of them. "
            "Is the learning rate too large, or do the features have such numbers?"
        )
    return meter


@torch.no_grad()
def validate(model: Model, objective: Objective, batches: Iterable[Batch], group: Group) -> dict[str, float]:
    """The objective's terms per frame, on batches that are not trained on; of all processes together."""
    model.eval()
    objective.eval()
    sums: dict[str, Term] = {}
    for batch in batches:
        for name, term in objective(model, batch.to(group.device)).terms.items():
            total = sums.setdefault(name, Term(0.0, 0.0))
            total.total += term.total
            total.weight += term.weight
    return means(summed(sums, group))
