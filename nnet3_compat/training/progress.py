"""Objectives per output, as messages that scripts parse (nnet3/nnet-training.cc, ObjectiveFunctionInfo)."""

from __future__ import annotations

from dataclasses import dataclass, field

from kaldi_bridge import log


@dataclass
class Sums:
    """Sums over some minibatches; ``weight`` in frames."""

    weight: float = 0.0
    objective: float = 0.0
    auxiliary: float = 0.0

    def add(self, weight: float, objective: float, auxiliary: float) -> None:
        self.weight += weight
        self.objective += objective
        self.auxiliary += auxiliary

    def text(self) -> str:
        """Per frame; the auxiliary objective, of a regularizer, apart."""
        if not self.weight:
            return f"nan over {self.weight:g} frames."
        objective, auxiliary = self.objective / self.weight, self.auxiliary / self.weight
        shown = f"{objective:g}"
        if self.auxiliary:
            shown += f" + {auxiliary:g} = {objective + auxiliary:g}"
        return f"{shown} over {self.weight:g} frames."


@dataclass
class OutputProgress:
    """One output: all minibatches, and those of the present phase of ``interval`` minibatches."""

    name: str
    interval: int
    total: Sums = field(default_factory=Sums)
    phase: int = 0
    phase_minibatches: int = 0
    phase_sums: Sums = field(default_factory=Sums)

    def add(self, minibatch: int, weight: float, objective: float, auxiliary: float) -> None:
        phase = minibatch // self.interval
        if phase != self.phase:
            self._report_phase(phase)
            self.phase, self.phase_minibatches, self.phase_sums = phase, 0, Sums()
        self.phase_minibatches += 1
        for sums in (self.phase_sums, self.total):
            sums.add(weight, objective, auxiliary)

    def _report_phase(self, next_phase: int) -> None:
        first, last = self.phase * self.interval, next_phase * self.interval - 1
        of = f"for minibatches {first}-{last}"
        if self.phase_minibatches != self.interval:
            of = f"using {self.phase_minibatches} minibatches in minibatch range {first}-{last}"
        log.info(f"Average objective function for '{self.name}' {of} is {self.phase_sums.text()}")

    def report_total(self) -> bool:
        """Whether there were any frames."""
        log.info(f"Overall average objective function for '{self.name}' is {self.total.text()}")
        per_frame = self.total.objective / self.total.weight if self.total.weight else float("nan")
        log.info(f"[this line is to be parsed by a script:] log-prob-per-frame={per_frame:g}")
        return self.total.weight != 0.0
