"""Alignments to begin with: any way through a graph, its frames spread evenly (fstext/fstext-utils.h, EqualAlign)."""

from __future__ import annotations

import math

import numpy as np

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.io.text import encode

TRIES = 10


def equal_alignment(graph: Fst, num_frames: int, utterance: str) -> np.ndarray:
    """Transition-ids, int32 [frames]. The path is drawn at random, for an utterance the one that Kaldi draws.

    Raises EntryError for no frames or an empty graph, and when the paths tried are longer than the utterance, or have
    no self-loops to make them longer.
    """
    if not num_frames:
        raise EntryError(f"Zero-length utterance: {utterance}")
    if graph.start < 0:
        raise EntryError(f"Empty decoding graph for {utterance}")
    problem = f"AlignEqual: did not align utterence {utterance}: "
    random = CRandom(_hashed(utterance))
    ways = _Ways(graph)
    for _ in range(TRIES):
        states, labels = ways.random_path(random)
        shortest = sum(label > 0 for label in labels)
        if shortest <= num_frames:
            break
    else:
        raise EntryError(f"{problem}it has {num_frames} frames, but the words need {shortest} at least")
    loops = [ways.self_loop(state) for state in states]
    extra, places = num_frames - shortest, sum(loop > 0 for loop in loops)
    if extra and not places:
        raise EntryError(f"{problem}no self-loops on the chosen path: cannot match its length")
    each, rest = divmod(extra, places) if places else (0, 0)
    alignment: list[int] = []
    for loop, label in zip(loops, [*labels, 0], strict=True):
        if loop:
            alignment += [loop] * (each + (rest > 0))
            rest -= 1
        if label:
            alignment.append(label)
    return np.array(alignment, np.int32)


class _Ways:
    """The arcs of a graph as lists, of which single ones are looked at."""

    def __init__(self, graph: Fst) -> None:
        self._start, self._offsets, self._finals = graph.start, graph.offsets.tolist(), graph.finals.tolist()
        self._labels, self._next = graph.arcs["ilabel"].tolist(), graph.arcs["nextstate"].tolist()

    def random_path(self, random: CRandom) -> tuple[list[int], list[int]]:
        """The states of a path without self-loops, and the input labels between them."""
        states, labels = [self._start], list[int]()
        while True:
            state = states[-1]
            begin, end = self._offsets[state : state + 2]
            final = math.isfinite(self._finals[state])
            if not final and all(self._next[arc] == state for arc in range(begin, end)):
                raise KaldiError("the graph has a state that no end can be reached from")
            arc = begin + random.rand_int(0, end - begin + final - 1)
            if arc == end:
                return states, labels
            if self._next[arc] != state:
                labels.append(self._labels[arc])
                states.append(self._next[arc])

    def self_loop(self, state: int) -> int:
        """The label of the first self-loop of a state that has one; 0: none."""
        arcs = range(*self._offsets[state : state + 2])
        return next((self._labels[arc] for arc in arcs if self._next[arc] == state and self._labels[arc]), 0)


def _hashed(utterance: str) -> int:
    """What Kaldi seeds the random numbers of an utterance with (util/stl-utils.h, StringHasher)."""
    number = 0
    for byte in encode(utterance):
        number = number * 7853 + (byte - 256 if byte > 127 else byte)
    return number & 0xFFFFFFFF
