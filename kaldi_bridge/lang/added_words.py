"""Words added to a lexicon that is there only as L.fst, with the silences around them that it has around others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import ARC
from kaldi_bridge.fsts.rational import arc_sorted


class AddedWord(NamedTuple):
    """A word and one way to say it, in numbers."""

    word: int
    phones: Sequence[int]


def with_words(lexicon: Fst, added: Sequence[AddedWord], like: int, silence: int) -> Fst:
    """L.fst with other words, at the costs of the word ``like``, which has a single phone; sorted by word.

    Whatever probabilities of silence a lexicon has, they are on the arcs of its words or behind them: paths of other
    phones between the states that this word's arc lies between have them too.

    ``silence``: the optional one, which may follow. Raises KaldiError where ``like`` is no word with a single phone.
    """
    arcs, sources = lexicon.arcs, lexicon.sources
    pattern = np.flatnonzero(arcs["olabel"] == like)
    behind = np.isin(sources, arcs["nextstate"][pattern])
    inner = behind & (arcs["olabel"] == 0) & (arcs["ilabel"] != 0) & (arcs["ilabel"] != silence)
    if not len(pattern) or inner.any():
        raise KaldiError(f"the lexicon has no word number {like} of a single phone, beside which others could be put")
    states = lexicon.num_states
    paths: list[tuple[int, int, int, float, int]] = []
    for entry in added:
        for arc in pattern.tolist():
            state, word, cost = int(sources[arc]), entry.word, float(arcs["weight"][arc])
            for phone in entry.phones[:-1]:
                paths.append((state, phone, word, cost, states))
                state, word, cost, states = states, 0, 0.0, states + 1
            paths.append((state, entry.phones[-1], word, cost, int(arcs["nextstate"][arc])))
    table = np.array([path[1:] for path in paths], ARC)
    all_sources = np.concatenate([sources, [path[0] for path in paths]])
    order = np.argsort(all_sources, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(all_sources.astype(np.int64), minlength=states))])
    finals = np.concatenate([lexicon.finals, np.full(states - lexicon.num_states, np.inf, np.float32)])
    return arc_sorted(Fst(lexicon.start, finals, offsets, np.concatenate([arcs, table])[order]), "olabel")
