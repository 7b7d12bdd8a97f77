"""Pictures of features: spectrograms one below the other, and the energies on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kaldi_bridge.io.streams import open_output

TICKS_HZ = (100, 250, 500, 1000, 2000, 4000, 8000)


@dataclass
class Panel:
    """``values`` [frames, bins]; ``centers`` [bins]: frequencies in Hz, None where the bins are no frequencies."""

    name: str
    values: np.ndarray
    centers: np.ndarray | None = None


def draw(
    path: Path,
    title: str,
    panels: Sequence[Panel],
    energies: np.ndarray | None = None,
    frame_shift: float = 0.01,
    inside: tuple[int, int] | None = None,
) -> None:
    """Writes a PNG.

    Args:
        energies: one for each step, drawn below the panels.
        frame_shift: seconds between frames.
        inside: first frame and end of what is not context, marked by lines.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # a second to import
    from matplotlib.figure import Figure

    rows = len(panels) + (energies is not None)
    figure = Figure(figsize=(7.0, 2.2 * rows + 0.5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    figure.suptitle(title)
    axes = figure.subplots(rows, squeeze=False)[:, 0]
    low, high = _range(panels[-1].values[slice(*inside)] if inside else panels[-1].values)
    for axis, panel in zip(axes, panels, strict=False):
        frames, bins = panel.values.shape
        extent = (0.0, frames * frame_shift, -0.5, bins - 0.5)
        image = axis.imshow(
            panel.values.T, origin="lower", aspect="auto", extent=extent, vmin=low, vmax=high, interpolation="nearest"
        )
        label = "coefficient" if panel.centers is None else "natural log of energy"
        figure.colorbar(image, ax=axis, label="value" if panel.centers is None else label)
        axis.set_title(panel.name, fontsize="medium")
        axis.set_xlabel("time (s)")
        axis.set_ylabel(label if panel.centers is None else "frequency (Hz)")
        if panel.centers is not None:
            _frequency_ticks(axis, panel.centers)
        for frame in inside or ():
            axis.axvline(frame * frame_shift, color="white", linestyle="--", linewidth=1.0)
    if energies is not None:
        axes[-1].plot(energies, marker="." if len(energies) < 60 else None)
        axes[-1].xaxis.get_major_locator().set_params(integer=True)
        axes[-1].set_xlabel("step of the sampler")
        axes[-1].set_ylabel("energy per output frame")
        axes[-1].grid(alpha=0.3)
    with open_output(str(path)) as stream:
        canvas.print_png(stream)


def _range(values: np.ndarray) -> tuple[float, float]:
    """Of the colors in all panels: these values, but for a few extremes."""
    low, high = np.percentile(values, (0.5, 99.5))
    return float(low), float(max(high, low + 1e-6))


def _frequency_ticks(axis: Any, centers: np.ndarray) -> None:
    shown = [f for f in TICKS_HZ if centers[0] <= f <= centers[-1]]
    axis.set_yticks(np.interp(shown, centers, np.arange(len(centers))), [str(f) for f in shown])
