"""What a person and programs see of a run: progress line, messages, journal, plots, TensorBoard files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from kaldi_bridge import log
from steps_pytorch.data.batch import Batch
from steps_pytorch.objectives.base import Term
from steps_pytorch.training.report.journal import Journal
from steps_pytorch.training.report.meter import Meter, means
from steps_pytorch.training.report.plots import plot
from steps_pytorch.training.report.progress import ProgressLine
from steps_pytorch.training.report.tensorboard import open_tensorboard

SHOWN = 3  # utterances of a bad minibatch
PLOT_SECONDS = 30.0  # at least between two plots


class Report:
    """Of one run in ``folder``; with several processes only the first one makes one that is not silent.

    ``interval``: updates between two events in the journal.
    """

    def __init__(
        self, folder: Path, num_epochs: float, *, interval: int = 10, tensorboard: bool = False, silent: bool = False
    ) -> None:
        """Raises KaldiError where TensorBoard is asked for and not installed."""
        self._folder, self._interval, self._silent = folder, interval, silent
        self._updates = self._skipped = 0
        self._iteration = 1
        self._window: dict[str, Term] = {}
        self._plotted = time.monotonic()
        if silent:
            return
        self._journal = Journal(folder)
        self._line = ProgressLine(num_epochs)
        self._tensorboard = open_tensorboard(folder) if tensorboard else None

    def state(self) -> dict[str, Any]:
        """What ``go_on`` takes."""
        place = 0 if self._silent else self._journal.position()
        return {"updates": self._updates, "skipped": self._skipped, "journal": place, "iteration": self._iteration}

    def begin(self) -> None:
        """A run from the start: what an earlier one left in the journal goes."""
        if not self._silent:
            self._journal.go_back(0)

    def go_on(self, state: dict[str, Any]) -> None:
        """From a checkpoint: what came after it is forgotten."""
        self._updates, self._skipped, self._iteration = state["updates"], state["skipped"], state["iteration"]
        if not self._silent:
            self._journal.go_back(state["journal"])

    def update(self, epochs: float, rate: float, meter: Meter) -> None:
        """After an update (or one that had to be left out)."""
        if self._silent:
            return
        updates = self._updates + meter.updates
        self._line.show(self._iteration, epochs, rate, meter)
        if updates % self._interval:
            return
        recent = {
            name: Term(term.total - before.total, term.weight - before.weight)
            for name, term in meter.terms.items()
            if (before := self._window.get(name, Term(0.0, 0.0)))
        }
        self._window = {name: Term(term.total, term.weight) for name, term in meter.terms.items()}
        self._write("update", epochs, rate, train=means(recent), iteration=self._iteration, update=updates)

    def bad_minibatch(self, batch: Batch | None) -> None:
        """One that gave infinities or NaNs, or had nothing in it that could be read."""
        if batch is not None:
            names = ", ".join(utterance for utterance, _ in batch.chunks[:SHOWN])
            more = ", ..." if len(batch.chunks) > SHOWN else ""
            log.warning(f"A minibatch gave infinities or NaNs and is left out: {batch.dataset} {names}{more}")

    def iteration(self, epochs: float, rate: float, meter: Meter, valid: dict[str, float]) -> None:
        """After an iteration; ``meter`` has the sums of all processes."""
        self._updates += meter.updates
        self._skipped += meter.skipped
        self._window = {}
        if not self._silent:
            trained = meter.means()
            shown = "  ".join(f"{name} {value:.4f}" for name, value in trained.items())
            shown += "".join(f"  valid {name} {value:.4f}" for name, value in valid.items())
            left_out = f", {meter.skipped} minibatches left out" if meter.skipped else ""
            log.info(
                f"Iteration {self._iteration}, epoch {epochs:.2f}: {shown}  learning rate {rate:.3g}, "
                f"{meter.frames_per_second:.0f} frames/s{left_out}"
            )
            self._write(
                "iteration",
                epochs,
                rate,
                iteration=self._iteration,
                update=self._updates,
                train=trained,
                valid=valid,
                skipped=meter.skipped,
                frames=meter.frames,
                seconds=meter.seconds,
                frames_per_second=meter.frames_per_second,
                waiting_for_data=meter.waited / max(meter.seconds, 1e-9),
            )
            if time.monotonic() - self._plotted > PLOT_SECONDS:
                self.plot()
        self._iteration += 1

    def final(self, epochs: float, **values: Any) -> None:
        """At the end of the run."""
        if not self._silent:
            self._journal.write("final", epoch=epochs, update=self._updates, skipped=self._skipped, **values)
            self.plot()

    def plot(self) -> None:
        plot(self._folder)
        self._plotted = time.monotonic()

    def close(self) -> None:
        if not self._silent:
            self._line.close()
            self._journal.close()
            if self._tensorboard:
                self._tensorboard.close()

    def _write(self, event: str, epochs: float, rate: float, **values: Any) -> None:
        self._journal.write(event, epoch=epochs, learning_rate=rate, **values)
        if self._tensorboard:
            self._tensorboard.add_scalar("learning_rate", rate, values["update"])
            for kind in ("train", "valid"):
                for name, value in values.get(kind, {}).items():
                    self._tensorboard.add_scalar(f"{name}/{kind}_{event}", value, values["update"])
