"""Alignments to begin with: any way through a graph, its frames spread evenly (fstext/fstext-utils.h, EqualAlign)."""

from __future__ import annotations

import zlib

import numpy as np

from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.io.text import encode

TRIES = 10


def equal_alignment(graph: Fst, num_frames: int, utterance: str) -> np.ndarray:
    """Transition-ids, int32 [frames]. The path is drawn at random, always the same one for an utterance.

    Raises EntryError for no frames or an empty graph, and when the paths tried are longer than the utterance, or have
    no self-loops to make them longer.
    """
    if not num_frames:
        raise EntryError(f"Zero-length utterance: {utterance}")
    if graph.start < 0:
        raise EntryError(f"Empty decoding graph for {utterance}")
    problem = f"AlignEqual: did not align utterence {utterance}: "
    random = np.random.default_rng(zlib.crc32(encode(utterance)))
    out = [graph.arcs_of(s).tolist() for s in range(graph.num_states)]
    for _ in range(TRIES):
        states, labels = _random_path(graph, out, random)
        shortest = sum(label > 0 for label in labels)
        if shortest <= num_frames:
            break
    else:
        raise EntryError(f"{problem}it has {num_frames} frames, but the words need {shortest} at least")
    loops = [next((a[0] for a in out[s] if a[3] == s and a[0] > 0), 0) for s in states]
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


def _random_path(
    graph: Fst, out: list[list[tuple[int, int, float, int]]], random: np.random.Generator
) -> tuple[list[int], list[int]]:
    """The states of a path without self-loops, and the input labels between them."""
    states, labels = [graph.start], list[int]()
    while True:
        state = states[-1]
        ways = [arc for arc in out[state] if arc[3] != state]
        final = bool(np.isfinite(graph.finals[state]))
        if not ways and not final:
            raise KaldiError("the graph has a state that no end can be reached from")
        choice = int(random.integers(len(ways) + final))
        if choice == len(ways):
            return states, labels
        labels.append(ways[choice][0])
        states.append(ways[choice][3])
