"""Pdf sequences, without any data that they belong to, to sample data for."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import INT32_VECTOR


class TargetSequences:
    """Those of a table of integer vectors, a pdf for each output frame, as ali-to-pdf writes them."""

    def __init__(self, rspecifier: str, num_pdfs: int) -> None:
        """Raises KaldiError where they cannot be read, or there is none, or one has a pdf that is none."""
        with SequentialReader(rspecifier, INT32_VECTOR) as reader:
            sequences = list(reader)
        for key, pdfs in sequences:
            if len(pdfs) and not 0 <= pdfs.min() <= pdfs.max() < num_pdfs:
                raise KaldiError(f"{rspecifier}: {key} has a pdf that is not between 0 and {num_pdfs - 1}")
        self._rspecifier = rspecifier
        self._pdfs = np.concatenate([np.zeros(0, np.int32), *(pdfs for _, pdfs in sequences)])
        self._ends = np.cumsum([len(pdfs) for _, pdfs in sequences])

    def draw(self, count: int, length: int) -> Tensor:
        """int64 [count, length]: pieces of the sequences, all as likely. Raises KaldiError where all are shorter."""
        starts = np.concatenate([[0], self._ends[:-1]]) if len(self._ends) else np.zeros(0, np.int64)
        places = np.maximum(self._ends - starts - length + 1, 0)
        total = int(places.sum())
        if not total:
            raise KaldiError(f"{self._rspecifier}: no sequence has {length} pdfs or more")
        drawn = torch.randint(total, (count,)).numpy()
        sums = np.cumsum(places)
        which = np.searchsorted(sums, drawn, side="right")
        first = starts[which] + drawn - (sums - places)[which]
        return torch.from_numpy(self._pdfs[first[:, None] + np.arange(length)].astype(np.int64))
