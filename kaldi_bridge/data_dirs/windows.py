"""Windows of one length along an utterance, of which vectors tell who speaks (Kaldi's get_uniform_subsegments.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError


@dataclass
class WindowOptions:
    """Names and defaults of Kaldi's diarization/nnet3/xvector/extract_xvectors.sh."""

    window: float = option(1.5, "Length of windows in seconds")
    period: float = option(0.75, "Seconds from one window to the next")
    min_segment: float = option(
        0.5, "What remains of a segment after its last whole window has its own where it is that long, in seconds"
    )
    hard_min: bool = option(False, "Leave out segments shorter than --min-segment")

    def check(self) -> None:
        """Raises KaldiError for nonsense."""
        if not 0 < self.period <= self.window:
            raise KaldiError(f"--period={self.period:g} must be positive, and at most --window={self.window:g}")


class Window(NamedTuple):
    """From ``start`` to ``end`` of an utterance, in seconds."""

    name: str
    start: float
    end: float

    def frames(self, frame_shift: float, count: int) -> slice:
        """Of the ``count`` frames of the utterance, those of the window."""
        return slice(int(self.start / frame_shift + 0.5), min(int(self.end / frame_shift - 0.5) + 1, count))


def windows(utterance: str, duration: float, options: WindowOptions) -> list[Window]:
    """Those of an utterance of this many seconds: the last one ends with it."""
    found, start = [], 0.0
    while duration - start > options.window:
        found.append(_window(utterance, start, start + options.window))
        start += options.period
    if duration - start < options.min_segment:
        start = max(duration - options.window, 0.0)
    if not (options.hard_min and duration < options.min_segment):
        found.append(_window(utterance, start, min(start + options.window, duration)))
    return found


def _window(utterance: str, start: float, end: float) -> Window:
    start, end = round(start, 3), round(end, 3)
    return Window(f"{utterance}-{round(100 * start):08d}-{round(100 * end):08d}", start, end)
