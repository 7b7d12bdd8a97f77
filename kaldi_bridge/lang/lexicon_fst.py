"""L: a transducer from phones to words, with optional silence around each word (utils/lang/make_lexicon_fst*.py).

Its symbols are numbers of phones.txt and words.txt; arcs are sorted by word, as Kaldi leaves them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.labels import with_self_loops
from kaldi_bridge.fsts.rational import arc_sorted
from kaldi_bridge.lang.lexicon import Pronunciation

Arc = tuple[int, int, int, float, int]
"""State, phone, word, cost, next state."""


@dataclass(frozen=True)
class SilenceProbabilities:
    """Of silprob.txt: of silence at the beginning, and corrections of the end's after silence and after a word."""

    beginning: float
    end_after_silence: float
    end_after_word: float


def lexicon_fst(
    lexicon: Iterable[Pronunciation],
    phones: Mapping[str, int],
    words: Mapping[str, int],
    silence: str,
    silence_prob: float = 0.5,
    silence_disambig: str | None = None,
    loops: Sequence[tuple[int, int]] = (),
) -> Fst:
    """Silence is as probable after every word, and at the beginning; ``silence_prob`` of 0 leaves none.

    Args:
        silence_disambig: disambiguation symbol after silence, for L_disambig.fst.
        loops: (phone, word) symbols that pass through from the grammar, for L_disambig.fst.
    """
    if silence_prob == 0:
        arcs = _Arcs(phones, words, next_state=1)
        for entry in lexicon:
            arcs.word(entry, 0, [(0, 0.0)])
        return _finished(arcs, {0: 0.0}, loops)
    with_silence, without = -math.log(silence_prob), -math.log(1.0 - silence_prob)
    start, loop, silent = 0, 1, 2
    arcs = _Arcs(phones, words, next_state=3)
    arcs.add(start, None, None, without, loop)
    arcs.add(start, None, None, with_silence, silent)
    if silence_disambig is None:
        arcs.add(silent, silence, None, 0.0, loop)
    else:
        after = arcs.new_state()
        arcs.add(silent, silence, None, 0.0, after)
        arcs.add(after, silence_disambig, None, 0.0, loop)
    for entry in lexicon:
        arcs.word(entry, loop, [(loop, without), (silent, with_silence)])
    return _finished(arcs, {loop: 0.0}, loops)


def lexicon_fst_with_silence_probabilities(
    lexicon: Iterable[Pronunciation],
    phones: Mapping[str, int],
    words: Mapping[str, int],
    silence: str,
    probabilities: SilenceProbabilities,
    silence_disambig: str | None = None,
    loops: Sequence[tuple[int, int]] = (),
) -> Fst:
    """Each pronunciation has its own probabilities of silence around it; its arguments are those of ``lexicon_fst``.

    The disambiguation symbol is where there is no silence.
    """
    start, spoken, silent = 0, 1, 2
    arcs = _Arcs(phones, words, next_state=3)
    arcs.add(start, silence_disambig, None, -math.log(1.0 - probabilities.beginning), spoken)
    arcs.add(start, silence, None, -math.log(probabilities.beginning), silent)
    for entry in lexicon:
        silence_after, after_silence, after_word = map(float, entry.silence)
        cost = -math.log(float(entry.probability))
        state = arcs.new_state()
        arcs.add(spoken, entry.phones[0], entry.word, cost - math.log(after_word), state)
        arcs.add(silent, entry.phones[0], entry.word, cost - math.log(after_silence), state)
        for phone in entry.phones[1:]:
            following = arcs.new_state()
            arcs.add(state, phone, None, 0.0, following)
            state = following
        arcs.add(state, silence_disambig, None, -math.log(1.0 - silence_after), spoken)
        arcs.add(state, silence, None, -math.log(silence_after), silent)
    ends = {silent: -math.log(probabilities.end_after_silence), spoken: -math.log(probabilities.end_after_word)}
    return _finished(arcs, ends, loops)


def _finished(arcs: _Arcs, finals: dict[int, float], loops: Sequence[tuple[int, int]]) -> Fst:
    fst = Fst.from_arcs(0, finals, arcs.arcs)
    return arc_sorted(with_self_loops(fst, loops) if loops else fst, "olabel")


class _Arcs:
    """Collects arcs, numbering symbols (None: epsilon) and states."""

    def __init__(self, phones: Mapping[str, int], words: Mapping[str, int], next_state: int) -> None:
        self.arcs: list[Arc] = []
        self._phones, self._words, self._next_state = phones, words, next_state

    def new_state(self) -> int:
        self._next_state += 1
        return self._next_state - 1

    def add(self, state: int, phone: str | None, word: str | None, cost: float, target: int) -> None:
        ilabel = self._phones[phone] if phone is not None else 0
        olabel = self._words[word] if word is not None else 0
        self.arcs.append((state, ilabel, olabel, cost, target))

    def word(self, entry: Pronunciation, start: int, ends: list[tuple[int, float]]) -> None:
        """A path of the word's phones from ``start``, with a last arc to each of the (states, costs) ``ends``."""
        state, word, cost = start, entry.word, -math.log(float(entry.probability))
        label: str | None = word
        for phone in entry.phones[:-1]:
            following = self.new_state()
            self.add(state, phone, label, cost, following)
            state, label, cost = following, None, 0.0
        for target, end_cost in ends:
            self.add(state, entry.phones[-1], label, end_cost + cost, target)
