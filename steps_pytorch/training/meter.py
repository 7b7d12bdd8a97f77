"""Sums over the minibatches of an iteration: objectives, frames, time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from steps_pytorch.data.batch import Batch
from steps_pytorch.objectives.base import Loss, Term
from steps_pytorch.training.group import Group


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
        numbers = [number for term in self.terms.values() for number in (term.total, term.weight)]
        frames, skipped, *numbers = group.totals([self.frames, self.skipped, *numbers])
        terms = {name: Term(*numbers[2 * i : 2 * i + 2]) for i, name in enumerate(self.terms)}
        return replace(self, terms=terms, frames=int(frames), skipped=int(skipped), elapsed=self.seconds)

    def means(self) -> dict[str, float]:
        """Per frame, by name."""
        return means(self.terms)


def means(terms: dict[str, Term]) -> dict[str, float]:
    return {name: term.total / term.weight for name, term in terms.items() if term.weight}
