"""Targets for flat-start training: whole utterances, whose transcripts alone are known."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fst import FST, Fst
from kaldi_bridge.scp import read_script
from kaldi_bridge.supervision import Supervision
from kaldi_bridge.tables import RandomAccessReader


class FlatStartTargets:
    """Numerator graphs of utterances: acceptors of pdfs with self-loops, so of any length.

    Args:
        scp: of the graphs (chain-make-num-fst-e2e).

    Attributes:
        lengths: 0 of each utterance that has a graph: a graph fits any number of frames that is large enough.
    """

    def __init__(self, scp: str, num_pdfs: int) -> None:
        self._path, self.num_pdfs = scp, num_pdfs
        self.lengths = dict.fromkeys(read_script(scp), 0)
        self._reader: RandomAccessReader[Fst] | None = None

    def whole(self, utterance: str, num_outputs: int) -> Supervision:
        """For an utterance of so many output frames.

        Raises:
            KaldiError: its transcript takes more frames, or the graph cannot be read.
        """
        if self._reader is None:
            self._reader = RandomAccessReader(f"scp:{self._path}", FST)
        fst = self._reader[utterance]
        if fst.num_arcs and fst.arcs["ilabel"].max() > self.num_pdfs:
            raise KaldiError(f"{self._path}: a graph has pdf {fst.arcs['ilabel'].max() - 1} of {self.num_pdfs}")
        shortest = _shortest_path(fst)
        if shortest > num_outputs:
            raise KaldiError(f"its transcript takes at least {shortest} output frames, and there are {num_outputs}")
        return Supervision(1.0, 1, num_outputs, self.num_pdfs, None, [fst])

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_reader": None}


def _shortest_path(fst: Fst) -> float:
    """The number of arcs from the start to an end; infinity where there is no way."""
    front, length = np.array([fst.start]), 0
    seen = np.zeros(fst.num_states, bool)
    while len(front):
        if np.isfinite(fst.finals[front]).any():
            return length
        seen[front] = True
        following = np.concatenate([fst.arcs_of(state)["nextstate"] for state in front.tolist()])
        front, length = np.unique(following[~seen[following]]), length + 1
    return np.inf
