"""Dropout proportions that change while a model is trained, in the words of train.py --trainer.dropout-schedule.

    0,0@0.20,0.3@0.50,0             of all parts: 0 until a fifth of the training is done, 0.3 at its half, 0 at its
                                    end, and straight lines between; what has no @ in the middle is at the half
    *=0,0.5,0 lstm.*=0,0.3@0.75,0   by name, the later one counts

Kaldi (steps/libs/nnet3/train/dropout_schedule.py) sets the proportion in each iteration, this in each update.
"""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import words
from nnet3_compat.model.whole_network import matches
from steps_pytorch.models.base import Model


class DropoutSchedule:
    """Of one model."""

    def __init__(self, text: str, model: Model) -> None:
        """Raises KaldiError for what is no schedule, or a pattern that no part with dropout has for its name."""
        self._lines: dict[str, tuple[list[float], list[float]]] = {}  # of each part: shares done, proportions
        self._set = model.dropouts()
        for word in words(text):
            pattern, equals, line = word.rpartition("=")
            chosen = [name for name in self._set if not equals or matches(name, pattern)]
            if not chosen:
                known = ", ".join(self._set) or "none at all"
                raise KaldiError(f"--dropout-schedule={text}: no part of the model with dropout for {word}: {known}")
            self._lines.update(dict.fromkeys(chosen, _line(line, text)))

    def apply(self, done: float) -> None:
        """Sets what is right when so much of the training is done, a number between 0 and 1."""
        for name, (shares, proportions) in self._lines.items():
            self._set[name](float(np.interp(done, shares, proportions)))


def _line(line: str, text: str) -> tuple[list[float], list[float]]:
    """Corners of a piecewise linear function."""
    first, *between, last = line.split(",") if "," in line else (line, "")
    corners = [f"{first}@0", *(word if "@" in word else f"{word}@0.5" for word in between), f"{last}@1"]
    try:
        pairs = [(float(share), float(value)) for value, share in (corner.split("@") for corner in corners)]
    except ValueError:
        pairs = []
    shares, proportions = [share for share, _ in pairs], [value for _, value in pairs]
    if not pairs or shares != sorted(shares) or not all(0.0 <= number <= 1.0 for pair in pairs for number in pair):
        raise KaldiError(
            f"--dropout-schedule={text}: expected proportions such as 0,0.3,0 or 0,0@0.20,0.3@0.50,0, with growing "
            "shares of the training after @, all between 0 and 1"
        )
    return shares, proportions
