"""What belongs to the features of an utterance when examples are made, from several tables."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.utterance_splitting import ChunkOptions
from kaldi_bridge.tables import RandomAccessReader
from kaldi_bridge.tables.holders import FLOAT_MATRIX, FLOAT_VECTOR, Holder


@dataclass
class ExampleOptions(ChunkOptions):
    """What nnet3-get-egs and nnet3-chain-get-egs both take."""

    compress: bool = option(True, "Compress features (those that are read compressed stay as they are)")
    ivectors: str = option("", "The same as --online-ivectors")
    online_ivectors: str = option("", "Rspecifier of i-vectors as matrices")
    online_ivector_period: int = option(1, "Frames between the rows of --online-ivectors")
    srand: int = option(0, "Seed for random number generator")
    length_tolerance: int = option(100, "By how many frames features and i-vectors may differ in length")


@dataclass
class Sources:
    """Of one utterance; None where there is no such table."""

    target: Any
    ivectors: np.ndarray | None
    weights: np.ndarray | None


class UtteranceSources:
    """Looks up the targets, i-vectors and weights of utterances."""

    def __init__(
        self,
        stack: ExitStack,
        options: ExampleOptions,
        targets: str,
        holder: Holder[Any],
        weights: str = "",
        target: str = "pdf-level posterior",
    ) -> None:
        """The tables stay open as long as ``stack``.

        ``weights``: an rspecifier of vectors; ``target``: what is missing of an utterance without one.

        Raises KaldiError for a table that cannot be opened and a period that is not positive.
        """
        if options.online_ivector_period < 1:
            raise KaldiError(f"--online-ivector-period={options.online_ivector_period} must be positive")

        def reader(rspecifier: str, holder: Holder[Any]) -> RandomAccessReader[Any] | None:
            return stack.enter_context(RandomAccessReader(rspecifier, holder)) if rspecifier else None

        self._options = options
        self._tables = (
            (f"{target} for key", reader(targets, holder)),
            ("iVectors for utterance", reader(options.online_ivectors or options.ivectors, FLOAT_MATRIX)),
            ("deriv weights for utterance", reader(weights, FLOAT_VECTOR)),
        )

    def find(self, key: str, frames: int) -> Sources | None:
        """Of an utterance of so many frames; None, and a warning, where something is missing or of another length."""
        values: list[Any] = []
        for name, table in self._tables:
            values.append(None if table is None else table.get(key))
            if table is not None and values[-1] is None:
                log.warning(f"No {name} {key}")
                return None
        ivectors = values[1]
        if ivectors is not None:
            difference = abs(frames - len(ivectors) * self._options.online_ivector_period)
            if difference > self._options.length_tolerance or not len(ivectors):
                log.warning(
                    f"Length difference between feats {frames} and iVectors {len(ivectors)} exceeds tolerance "
                    f"{self._options.length_tolerance}, utterance {key}"
                )
                return None
        return Sources(*values)
