"""A denominator graph and supervisions small enough to think through."""

import numpy as np

from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.fsts.fst import Fst
from nnet3_compat.chain import DenominatorGraph


def denominator_graph() -> DenominatorGraph:
    """Three states, four pdfs."""
    arcs = [
        (0, 1, 1, 0.7, 1),
        (0, 2, 2, 0.7, 2),
        (1, 3, 3, 1.1, 0),
        (1, 1, 1, 0.4, 1),
        (2, 4, 4, 0.5, 0),
        (2, 2, 2, 0.9, 1),
    ]
    return DenominatorGraph.from_fst(Fst.from_arcs(0, {0: 2.0}, arcs), 4)


def crowded_graph() -> DenominatorGraph:
    """Three states, four pdfs, 120 arcs: more to a state than are taken together."""
    random = np.random.default_rng(0)
    source, target, pdf = (random.integers(0, n, 120) for n in (3, 3, 4))
    return DenominatorGraph(3, 4, source, target, pdf, random.random(120, np.float32), np.full(3, 1 / 3, np.float32))


def two_sequences(meeting_states: int = 1) -> Supervision:
    """Two sequences of three frames, each with an alternative; the first may end in two states."""
    arcs = [
        (0, 1, 1, 0.0, 1),
        (0, 2, 2, 0.3, 1),
        (1, 1, 1, 0.0, 2),
        (2, 3, 3, 0.0, 3),
        (3, 2, 2, 0.0, 4),
        (4, 2, 2, 0.2, 5),
    ]
    arcs += [(4, 4, 4, 0.4, 5), (5, 1, 1, 0.0, 6)]
    if meeting_states == 2:
        arcs += [(2, 1, 1, 0.1, 7), (7, 2, 2, 0.5, 4)]
    return Supervision(1.0, 2, 3, 4, Fst.from_arcs(0, {6: 0.25}, arcs))


def flat_start() -> Supervision:
    """Two sequences with loops, which pass through their states at any times."""
    first = Fst.from_arcs(
        0, {2: 0.5}, [(0, 1, 1, 0.1, 0), (0, 2, 2, 0.3, 1), (1, 2, 2, 0.2, 1), (1, 3, 3, 0.7, 2), (2, 3, 3, 0.4, 2)]
    )
    second = Fst.from_arcs(0, {1: 0.0, 0: 1.0}, [(0, 4, 4, 0.2, 1), (1, 4, 4, 0.3, 1), (0, 1, 1, 0.9, 0)])
    return Supervision(1.0, 2, 4, 4, None, [first, second])


def one_sequence(frames: int) -> Supervision:
    """A sequence of any length: pdf 0 or 2 at each frame."""
    arcs = [(t, label, label, 0.1 * label, t + 1) for t in range(frames) for label in (1, 3)]
    return Supervision(1.0, 1, frames, 4, Fst.from_arcs(0, {frames: 0.3}, arcs))
