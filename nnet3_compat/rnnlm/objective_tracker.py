"""Averages of the objective over minibatches, in the lines of the log that rnnlm/*.sh and *.py read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from nnet3_compat.rnnlm.objective import RnnlmObjective

INTERVAL = 10  # minibatches from one message to the next


@dataclass
class _Sums:
    minibatches: int = 0
    weight: float = 0.0
    numerator: float = 0.0
    denominator: float = 0.0
    exact: float = 0.0

    def text(self, words: str) -> str:
        """``words``: what follows the weight."""
        numerator, denominator, exact = (
            total / self.weight if self.weight else float("nan")
            for total in (self.numerator, self.denominator, self.exact)
        )
        return (
            f"({numerator:.4g} + {denominator:.4g}) = {numerator + denominator:.4g} over {self.weight:.4g} words "
            f"(weighted){words}; exact = ({numerator:.4g} + {exact:.4g}) = {numerator + exact:.4g}"
        )


class ObjectiveTracker:
    """Sums over the minibatches since the last message, and over all."""

    def __init__(self) -> None:
        self._interval, self._all = _Sums(), _Sums()

    def add(self, found: RnnlmObjective) -> None:
        """Adds a minibatch. The exact term is added as Kaldi has it: whole numbers, rounded towards zero each time."""
        sums = self._interval
        sums.minibatches += 1
        sums.weight += found.weight
        sums.numerator += found.numerator
        sums.denominator += found.denominator
        exact = np.float32(sums.exact) + np.float32(found.exact_denominator)
        sums.exact = float(np.trunc(exact))
        if sums.minibatches >= INTERVAL:
            self._report_interval()

    def _report_interval(self) -> None:
        now, total = self._interval, self._all
        last = total.minibatches + now.minibatches - 1
        log.info(f"Objf for minibatches {total.minibatches} to {last} is {now.text('')}")
        for name in vars(now):
            setattr(total, name, getattr(total, name) + getattr(now, name))
        self._interval = _Sums()

    def report(self) -> float:
        """Logs the averages over all minibatches; returns that of the objective."""
        if self._interval.minibatches:
            self._report_interval()
        total = self._all
        log.info(f"Overall objf is {total.text(f' in {total.minibatches} minibatches')}")
        return (total.numerator + total.denominator) / total.weight if total.weight else float("nan")
