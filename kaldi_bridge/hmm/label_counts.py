"""How often the labels of alignments (pdfs, phones) occur (bin/analyze-counts.cc, bin/compare-int-vector.cc)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kaldi_bridge.errors import KaldiError


class LabelCounts:
    """``values``: float64 [labels], as many as were asked for or were seen."""

    def __init__(self, size: int = 0) -> None:
        if size < 0:
            raise KaldiError(f"a number of {size} counts must not be negative")
        self.values: np.ndarray = np.zeros(size)

    def add(self, labels: np.ndarray, weight: float = 1.0, frame_weights: np.ndarray | None = None) -> None:
        """Of one sequence [frames]. Raises KaldiError for negative labels, and for other than [frames] weights."""
        if len(labels) and labels.min() < 0:
            raise KaldiError(f"the label {labels.min()} is negative: it cannot be counted")
        if frame_weights is not None and len(frame_weights) != len(labels):
            raise KaldiError(f"{len(frame_weights)} weights for {len(labels)} frames")
        factors = None if frame_weights is None else frame_weights.astype(np.float64)
        found = np.bincount(labels, factors, len(self.values)) * weight
        found[: len(self.values)] += self.values
        self.values = found

    def unseen(self) -> list[int]:
        """Labels up to the largest that have no count."""
        found: list[int] = np.flatnonzero(self.values == 0.0).tolist()
        return found

    def table(self, symbols: Mapping[int, str] | None) -> str:
        """The counts in rising order, for people; ``symbols``: of labels."""
        total = float(self.values.sum())
        lines = ["Printing...", "### The sorted count table,", "count\t(norm),\tid\t(symbol):"]
        for label in np.lexsort((np.arange(len(self.values)), self.values)).tolist():
            count = float(self.values[label])
            share = count / total if total else float("nan")
            symbol = f"({symbols.get(label, '')})" if symbols else ""
            lines.append(f"{count:g}\t({share:g}),\t{label}\t{symbol}")
        return "\n".join([*lines, f"\n#total {total:g} ({total / 360000:g}h)\n"])


class Confusions:
    """``values``: float64 [labels, labels], how often a label of one sequence met a label of another."""

    def __init__(self) -> None:
        self.values: np.ndarray = np.zeros((0, 0))

    def add(self, ours: np.ndarray, theirs: np.ndarray) -> None:
        """Two sequences [frames] of the same length. Raises KaldiError for negative labels."""
        if not len(ours):
            return
        if min(ours.min(), theirs.min()) < 0:
            raise KaldiError("a label is negative: it cannot be counted")
        size = int(max(ours.max(), theirs.max(), len(self.values) - 1)) + 1
        found = np.bincount(ours.astype(np.int64) * size + theirs, minlength=size * size).reshape(size, size)
        values = found.astype(np.float64)
        values[: len(self.values), : len(self.values)] += self.values
        self.values = values
