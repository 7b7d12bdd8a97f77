"""Scores of single arcs, as a language model outside of Kaldi makes them, added to lattices (lattice-add-nnlmscore).

A file has lines ``utterance state next-state score``; of a final state, the end's has that state twice.
"""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import is_number, real_number, shown, words
from kaldi_bridge.lattices.lattice import CompactLattice, sorted_if_needed

ArcScores = dict[tuple[int, int], float]
"""By the numbers of states."""


def read_arc_scores(rxfilename: str, scale: float) -> dict[str, ArcScores]:
    """Of each utterance, times a scale. Raises KaldiError that names a line that is no such one."""
    scores: dict[str, ArcScores] = {}
    with open_input(rxfilename) as stream:
        for number, line in enumerate(stream.lines()):
            entries = words(line)
            if len(entries) != 4 or not (is_number(entries[1]) and is_number(entries[2])):
                raise KaldiError(
                    f"{rxfilename}, line {number + 1}: expected an utterance, two states and a score, not {shown(line)}"
                )
            score = real_number(entries[3], "score of an arc")
            scores.setdefault(entries[0], {})[int(entries[1]), int(entries[2])] = scale * score
    return scores


def add_arc_scores(lattice: CompactLattice, scores: ArcScores) -> CompactLattice:
    """Adds scores to graph costs: those of arcs with a word, and of final states that an arc leads to.

    The numbers of states are those after the states have been sorted, where they were not.

    Raises:
        KaldiError: an arc has no score, or the lattice has a cycle.
    """
    lattice = sorted_if_needed(lattice)
    arcs, finals, sources = lattice.arcs.copy(), lattice.finals.copy(), lattice.sources
    for i, (source, target) in enumerate(zip(sources.tolist(), arcs["nextstate"].tolist(), strict=True)):
        if (source, target) not in scores:
            raise KaldiError(f"the arc from state {source} to {target} has no score")
        if arcs["label"][i] != 0:
            arcs["graph"][i] += scores[source, target]
    for state in np.unique(arcs["nextstate"][lattice.is_final[arcs["nextstate"]]]).tolist():
        finals[state, 0] += scores.get((state, state), 0.0)
    return CompactLattice(lattice.start, lattice.offsets, arcs, finals, lattice.string_offsets, lattice.strings)
