"""Lattices of a single path, and what they are in other words: word segments, alignments, pronunciations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError
from kaldi_bridge.lattices.lattice import LATTICE_ARC, AnyLattice, CompactLattice, Lattice, selected


def linear_lattice(
    alignment: Sequence[int] | np.ndarray, words: Sequence[int] | np.ndarray, graph_cost: float, acoustic_cost: float
) -> Lattice:
    """One arc for each transition-id, the first of them with the words; the costs at the end."""
    count = max(len(alignment), len(words))
    arcs = np.zeros(count, LATTICE_ARC)
    arcs["ilabel"][: len(alignment)] = alignment
    arcs["olabel"][: len(words)] = words
    arcs["nextstate"] = np.arange(1, count + 1)
    finals = np.full((count + 1, 2), np.inf, np.float32)
    finals[-1] = graph_cost, acoustic_cost
    return Lattice(0, np.minimum(np.arange(count + 2), count), arcs, finals)


def path_of(lattice: AnyLattice) -> tuple[np.ndarray, int]:
    """The numbers of a linear lattice's arcs, one after the other, and the state it ends in.

    Raises EntryError where there is no path, or more than one.
    """
    if lattice.start < 0:
        raise EntryError("Empty lattice.")
    offsets, targets, final = lattice.offsets.tolist(), lattice.arcs["nextstate"].tolist(), lattice.is_final.tolist()
    state = lattice.start
    arcs: list[int] = []
    while True:
        ways = offsets[state + 1] - offsets[state]
        if final[state] and ways == 0:
            return np.array(arcs, np.int64), state
        if final[state]:
            raise EntryError("Lattice is not linear.")
        if ways != 1 or len(arcs) > lattice.num_states:
            raise EntryError(f"Lattice is not linear: num-arcs = {ways}")
        arcs.append(offsets[state])
        state = targets[arcs[-1]]


@dataclass
class Segment:
    """An arc of a word-aligned linear lattice: its word (0: none), its first frame and its transition-ids."""

    word: int
    start: int
    ids: np.ndarray


def segments_of(lattice: CompactLattice) -> Iterator[Segment]:
    """The words of a linear lattice, whose arcs should be whole words. Raises EntryError as ``path_of``."""
    arcs, end = path_of(lattice)
    if lattice.string_lengths[lattice.num_arcs + end]:
        log.warning(
            "Lattice has alignments on final-weight: probably was not word-aligned (alignments will be approximate)"
        )
    start = 0
    ends = lattice.string_offsets[arcs + 1].tolist()
    for word, begin, end in zip(
        lattice.arcs["label"][arcs].tolist(), lattice.string_offsets[arcs].tolist(), ends, strict=True
    ):
        yield Segment(word, start, lattice.strings[begin:end])
        start += end - begin


def word_path(lattice: Lattice) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    """Transition-ids, words and (graph, acoustic) cost of a linear lattice. Raises EntryError for others.

    An empty lattice has infinite costs.
    """
    if lattice.start < 0:
        return np.zeros(0, np.int32), np.zeros(0, np.int32), (math.inf, math.inf)
    arcs, end = path_of(lattice)
    path = selected(lattice, 0, np.zeros(2, np.int64), arcs, np.array([end]))
    costs = np.stack([path.arcs["graph"], path.arcs["acoustic"]], axis=1)
    graph, acoustic = np.cumsum(np.concatenate([costs, path.finals]), axis=0, dtype=np.float32)[-1].tolist()
    ids, words = path.arcs["ilabel"], path.arcs["olabel"]
    return ids[ids != 0], words[words != 0], (graph, acoustic)
