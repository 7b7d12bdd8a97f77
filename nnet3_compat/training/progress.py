"""Objectives per output, as messages that scripts parse (nnet3/nnet-training.cc, ObjectiveFunctionInfo).

Those of discriminative training have a label of their own, and their regularizer apart
(nnet-discriminative-training.cc).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kaldi_bridge import log

LOG_PROB = "log-prob"


@dataclass
class Sums:
    """Sums over some minibatches; ``weight`` in frames."""

    weight: float = 0.0
    objective: float = 0.0
    auxiliary: float = 0.0
    counts: float = 0.0

    def add(self, weight: float, objective: float, auxiliary: float, counts: float) -> None:
        self.weight += weight
        self.objective += objective
        self.auxiliary += auxiliary
        self.counts += counts

    def text(self, with_auxiliary: bool) -> str:
        """Per frame; the auxiliary objective, of a regularizer, apart."""
        if not self.weight:
            return f"nan over {self.weight:g} frames."
        objective, auxiliary = self.objective / self.weight, self.auxiliary / self.weight
        shown = f"{objective:g}"
        if self.auxiliary and with_auxiliary:
            shown += f" + {auxiliary:g} = {objective + auxiliary:g}"
        return f"{shown} over {self.weight:g} frames."


@dataclass
class OutputProgress:
    """One output: all minibatches, and those of the present phase of ``interval`` minibatches."""

    name: str
    interval: int
    label: str = LOG_PROB
    total: Sums = field(default_factory=Sums)
    phase: int = 0
    phase_minibatches: int = 0
    phase_sums: Sums = field(default_factory=Sums)

    def add(self, minibatch: int, weight: float, objective: float, auxiliary: float, counts: float = 0.0) -> None:
        phase = minibatch // self.interval
        if phase != self.phase:
            self._report_phase(phase)
            self.phase, self.phase_minibatches, self.phase_sums = phase, 0, Sums()
        self.phase_minibatches += 1
        for sums in (self.phase_sums, self.total):
            sums.add(weight, objective, auxiliary, counts)

    def _report_phase(self, next_phase: int) -> None:
        first, last = self.phase * self.interval, next_phase * self.interval - 1
        of = f"for minibatches {first}-{last}"
        if self.phase_minibatches != self.interval:
            of = f"using {self.phase_minibatches} minibatches in minibatch range {first}-{last}"
        log.info(f"Average objective function for '{self.name}' {of} is {self._text(self.phase_sums)}")

    def _text(self, sums: Sums) -> str:
        return sums.text(with_auxiliary=self.label == LOG_PROB)

    def report_total(self) -> bool:
        """Whether there were any frames."""
        if self.label != LOG_PROB and self.total.weight:
            counts, l2_term, weight = self.total.counts, self.total.auxiliary, self.total.weight
            log.info(f"Average num+den count of stats is {counts / weight:g} per frame, over {weight:g} frames.")
            if l2_term:
                log.info(f"Average l2 norm of output per frame is {l2_term / weight:g} over {weight:g} frames.")
        log.info(f"Overall average objective function for '{self.name}' is {self._text(self.total)}")
        per_frame = self.total.objective / self.total.weight if self.total.weight else float("nan")
        log.info(f"[this line is to be parsed by a script:] {self.label}-per-frame={per_frame:g}")
        return self.total.weight != 0.0
