"""FSTs of a single path."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import ARC


def linear_acceptor(labels: Sequence[int] | np.ndarray) -> Fst:
    """Accepts the labels, one after the other."""
    count = len(labels)
    arcs = np.zeros(count, ARC)
    arcs["ilabel"] = arcs["olabel"] = labels
    arcs["nextstate"] = np.arange(1, count + 1)
    finals = np.full(count + 1, np.inf, np.float32)
    finals[-1] = 0.0
    return Fst(0, finals, np.concatenate([np.arange(count + 1), [count]]), arcs)


def labels_of_path(path: Fst, side: str) -> np.ndarray:
    """The labels on the one path, without epsilons; ``side`` is "ilabel" or "olabel"."""
    labels = []
    state = path.start
    for _ in range(path.num_arcs):
        arc = path.arcs_of(state)[0]
        labels.append(arc[side])
        state = int(arc["nextstate"])
    every = np.array(labels, np.int32)
    return every[every != 0]
