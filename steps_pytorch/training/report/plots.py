"""Pictures of a run: what was maximized, in training and validation, and the learning rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kaldi_bridge.io.streams import open_output
from steps_pytorch.training.report.journal import read_journal

NAME = "training.png"


def plot(folder: Path) -> None:
    """Draws the journal of a run into training.png; nothing where it has no events yet."""
    events = read_journal(folder)
    updates = [event for event in events if event["event"] == "update"]
    iterations = [event for event in events if event["event"] == "iteration"]
    names = list(dict.fromkeys(name for event in updates + iterations for name in event["train"]))
    if not names:
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # a second to import: only when there is something
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 2.6 * (len(names) + 1)), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(len(names) + 1, sharex=True, squeeze=False)[:, 0]
    for axis, name in zip(axes, names, strict=False):
        _curve(axis, updates, "train", name, color="tab:blue", alpha=0.35, label="training, a few updates")
        _curve(axis, iterations, "train", name, color="tab:blue", marker=".", label="training, iterations")
        _curve(axis, iterations, "valid", name, color="tab:orange", marker=".", label="validation")
        axis.set_ylabel(f"{name} per frame")
        axis.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, frameon=False)  # above, and no curve under it
        axis.grid(alpha=0.3)
    rates = updates or iterations
    axes[-1].plot([event["epoch"] for event in rates], [event["learning_rate"] for event in rates], color="tab:green")
    axes[-1].set_yscale("log")
    axes[-1].set_ylabel("learning rate")
    axes[-1].set_xlabel("epoch")
    axes[-1].grid(alpha=0.3)
    with open_output(str(folder / NAME)) as stream:
        canvas.print_png(stream)


def _curve(axis: Any, events: list[dict[str, Any]], kind: str, name: str, **style: Any) -> None:
    points = [(event["epoch"], event[kind][name]) for event in events if event[kind].get(name) is not None]
    if points:
        axis.plot(*zip(*points, strict=True), **style)
