"""Targets for flat-start training: whole utterances, whose transcripts alone are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.fsts.fst import FST, Fst
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.tables.scp import read_script

GRAPHS = "num.*.scp"


class FlatStartTargets:
    """Numerator graphs of utterances: acceptors of pdfs with self-loops, so of any length.

    Args:
        scps: of the graphs (chain-make-num-fst-e2e; prepare_e2e.sh).

    Attributes:
        lengths: 0 of each utterance that has a graph: a graph fits any number of frames that is large enough.
    """

    @classmethod
    def of_directory(cls, directory: str) -> FlatStartTargets:
        """Of prepare_e2e.sh's num.*.scp and 0.trans_mdl."""
        path = Path(directory)
        model = read_transition_model(str(path / "0.trans_mdl"))
        return cls([str(file) for file in sorted(path.glob(GRAPHS))], model.num_pdfs)

    def __init__(self, scps: Sequence[str], num_pdfs: int) -> None:
        self.num_pdfs = num_pdfs
        self._files = {utterance: file for scp in scps for utterance, file in read_script(scp).items()}
        self.lengths = dict.fromkeys(self._files, 0)

    def whole(self, utterance: str, num_outputs: int) -> Supervision:
        """For an utterance of so many output frames.

        Raises:
            KaldiError: its transcript takes more frames, or the graph cannot be read.
        """
        file = self._files[utterance]
        with open_input(file) as stream:
            fst = FST.read(stream)
        if fst.num_arcs and fst.arcs["ilabel"].max() > self.num_pdfs:
            raise KaldiError(f"{file}: the graph has pdf {fst.arcs['ilabel'].max() - 1} of {self.num_pdfs}")
        shortest = _shortest_path(fst)
        if shortest > num_outputs:
            raise KaldiError(f"its transcript takes at least {shortest} output frames, and there are {num_outputs}")
        return Supervision(1.0, 1, num_outputs, self.num_pdfs, None, [fst])


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
