"""Vectors of integers of many entries of a table, alignments say, on arrays: for what is done to all of them alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from kaldi_bridge.extension import _csrc
from kaldi_bridge.tables.integer_lists import RaggedIntegers

MOST = 1000  # entries


class IntegerBatch:
    """``keys``: of the entries; ``vectors``: theirs, one after the other."""

    def __init__(self, keys: list[str], vectors: RaggedIntegers) -> None:
        self.keys, self.vectors = keys, vectors

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        """(key, vector); vectors are parts of one array."""
        ends, values = self.vectors.offsets.tolist(), self.vectors.values
        for number, key in enumerate(self.keys):
            yield key, values[ends[number] : ends[number + 1]]

    def with_values(self, values: np.ndarray) -> IntegerBatch:
        """With other integers in the place of all these."""
        return IntegerBatch(self.keys, RaggedIntegers(self.vectors.offsets, values))

    def packed(self) -> bytes:
        """Entries of an archive."""
        return _csrc.pack_integer_entries(self.keys, self.vectors.offsets, self.vectors.values)

    def packed_posteriors(self) -> bytes:
        """Entries of an archive of posteriors: of each frame one integer, of weight 1."""
        offsets, values = self.vectors.offsets, self.vectors.values
        pairs, weights = np.arange(len(values) + 1), np.ones(len(values), np.float32)
        return _csrc.pack_posterior_entries(self.keys, offsets, pairs, values, weights)


def integer_batches(entries: Iterable[tuple[str, np.ndarray]]) -> Iterator[IntegerBatch]:
    """All entries in their order, int32 vectors, some at a time."""
    remaining = iter(entries)
    while some := list(islice(remaining, MOST)):
        keys, vectors = zip(*some, strict=True)
        offsets = np.zeros(len(some) + 1, np.int64)
        np.cumsum([len(vector) for vector in vectors], out=offsets[1:])
        yield IntegerBatch(list(keys), RaggedIntegers(offsets, np.concatenate(vectors)))
