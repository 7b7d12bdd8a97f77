"""Dropout proportions that change while a model is trained, in the words of train.py --trainer.dropout-schedule.

    0,0@0.20,0.3@0.50,0             of all parts, as a PiecewiseLinear
    *=0,0.5,0 lstm.*=0,0.3@0.75,0   by name, the later one counts

Kaldi (steps/libs/nnet3/train/dropout_schedule.py) sets the proportion in each iteration, this in each update.
"""

from __future__ import annotations

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import words
from nnet3_compat.model.whole_network import matches
from steps_pytorch.models.base import Model
from steps_pytorch.piecewise_linear import PiecewiseLinear


class DropoutSchedule:
    """Of one model."""

    def __init__(self, text: str, model: Model) -> None:
        """Raises KaldiError for what is no schedule, or a pattern that no part with dropout has for its name."""
        self._lines: dict[str, PiecewiseLinear] = {}  # of each part
        self._set = model.dropouts()
        for word in words(text):
            pattern, equals, line = word.rpartition("=")
            chosen = [name for name in self._set if not equals or matches(name, pattern)]
            if not chosen:
                known = ", ".join(self._set) or "none at all"
                raise KaldiError(f"--dropout-schedule={text}: no part of the model with dropout for {word}: {known}")
            schedule = PiecewiseLinear.parse(line, f"--dropout-schedule={text}")
            self._lines.update(dict.fromkeys(chosen, schedule))

    def apply(self, done: float) -> None:
        """Sets what is right when so much of the training is done, a number between 0 and 1."""
        for name, schedule in self._lines.items():
            self._set[name](schedule.at(done))
