"""The progress line: objective, learning rate, frames per second, time left."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from steps_pytorch.training.report.meter import Meter


class ProgressLine:
    """At the bottom of a terminal; where standard error is none, there is no line."""

    def __init__(self, num_epochs: float) -> None:
        self._num_epochs = num_epochs
        self._began: tuple[float, float] | None = None  # when, and after how many epochs
        columns = [TextColumn("{task.description}"), BarColumn(bar_width=20), TextColumn("{task.fields[left]}")]
        self._progress = Progress(
            *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
        )
        self._task = self._progress.add_task("starting", total=num_epochs, left="")
        self._progress.start()

    def show(self, iteration: int, epochs: float, rate: float, meter: Meter) -> None:
        now = time.monotonic()
        if self._began is None:
            self._began = now, epochs
        began, first = self._began
        left = ""
        if epochs > first:
            left = _clock((now - began) / (epochs - first) * (self._num_epochs - epochs)) + " left"
        objective = next((f"{name} {value:.4f}  " for name, value in meter.means().items()), "")
        text = f"iteration {iteration}  {objective}lr {rate:.3g}  {meter.frames_per_second:.0f} frames/s"
        text += f"  epoch {epochs:.2f}/{self._num_epochs:g}"
        self._progress.update(self._task, completed=epochs, description=text, left=left)

    def close(self) -> None:
        self._progress.stop()


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
