"""Sums over the minibatches of an iteration: objectives, frames, time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from steps_pytorch.data.batch import Batch
from steps_pytorch.group import Group
from steps_pytorch.objectives.base import Loss, Term


@dataclass
class Meter:
    """Attributes:
    terms: of the objective, summed.
    frames: input frames, without context.
    updates, skipped: steps that were taken; minibatches that gave infinities or NaNs, or whose step would have.
    waited: seconds spent waiting for data.
    elapsed: seconds that it all took; None while it goes on.
    """

    terms: dict[str, Term] = field(default_factory=dict)
    frames: int = 0
    updates: int = 0
    skipped: int = 0
    waited: float = 0.0
    started: float = field(default_factory=time.perf_counter)
    elapsed: float | None = None

    def add(self, loss: Loss, batch: Batch, frame_subsampling_factor: int) -> None:
        self.frames += batch.num_frames * frame_subsampling_factor
        if not loss.ok:
            self.skipped += 1
            return
        for name, term in loss.terms.items():
            total = self.terms.setdefault(name, Term(0.0, 0.0))
            total.total += term.total
            total.weight += term.weight

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started if self.elapsed is None else self.elapsed

    @property
    def frames_per_second(self) -> float:
        return self.frames / max(self.seconds, 1e-9)

    def gathered(self, group: Group) -> Meter:
        """With the sums of all processes."""
        frames, skipped = group.totals([self.frames, self.skipped])
        terms = summed(self.terms, group)
        return replace(self, terms=terms, frames=int(frames), skipped=int(skipped), elapsed=self.seconds)

    def means(self) -> dict[str, float]:
        """Per frame, by name."""
        return means(self.terms)


def summed(terms: dict[str, Term], group: Group) -> dict[str, Term]:
    """The sums over all processes, which need not have seen the same kinds of data."""
    names = group.names(terms)
    mine = [terms.get(name, Term(0.0, 0.0)) for name in names]
    numbers = group.totals([number for term in mine for number in (term.total, term.weight)])
    return {name: Term(*numbers[2 * i : 2 * i + 2]) for i, name in enumerate(names)}


def means(terms: dict[str, Term]) -> dict[str, float]:
    """Of the terms that have any weight."""
    return {name: term.total / term.weight for name, term in terms.items() if term.weight}
