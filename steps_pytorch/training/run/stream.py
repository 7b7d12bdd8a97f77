"""Training data without end: one epoch after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from steps_pytorch.data.batch import Batch
from steps_pytorch.data.loader import ChunkLoader


class EpochStream:
    """A ChunkLoader's batches, epoch after epoch; None for a batch of which nothing can be used."""

    def __init__(self, loader: ChunkLoader) -> None:
        self._loader = loader
        self._batches: Iterator[Batch | None] | None = None

    @property
    def epochs(self) -> float:
        """How many are done, by all processes together, fractions included."""
        return self._loader.epochs

    def __next__(self) -> Batch | None:
        while True:
            if self._batches is None:
                self._batches = self._loader.batches()
            for batch in self._batches:
                return batch
            self._batches = None

    def state_dict(self) -> dict[str, Any]:
        return self._loader.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._loader.load_state_dict(state)
        self._batches = None

    def close(self) -> None:
        """Ends the processes that make batches."""
        self._batches = None
        self._loader.close()
