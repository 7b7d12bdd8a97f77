"""A grammar of phrases that are given while a program runs, as Vosk makes it (its language_model.cc).

A bigram with a fixed discount: with counts c of what follows a word h in the phrases, n(h) in all,

    p(w | h) = D c(h, w) / n(h),    and with 1 - D back to any word of the phrases, p(w) = D c(w) / n.

A phrase may begin with any word that occurs; the end of a phrase counts as a word.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.io import text
from kaldi_bridge.lang.symbol_table import SymbolTable

DISCOUNT = 0.5  # D
_ANY, _END = 0, 0  # the history of no word; the end of a phrase


def numbers_of(phrases: Iterable[str], words: SymbolTable) -> tuple[list[list[int]], list[str]]:
    """The phrases in numbers, without words that the vocabulary lacks; and these, each once, in their order."""
    unknown: dict[str, None] = {}
    numbers = []
    for phrase in phrases:
        known = []
        for word in text.words(phrase):
            if words.numbers.get(word, 0) > 0:
                known.append(words.numbers[word])
            else:
                unknown[word] = None
        numbers.append(known)
    return numbers, list(unknown)


def phrase_grammar(phrases: Sequence[Sequence[int]]) -> Fst:
    """An acceptor of words with costs, sorted by label; label 0 leads back to the state where any word may follow.

    Raises KaldiError where there is no word in the phrases.
    """
    counts: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for phrase in phrases:
        history = _ANY
        for word in phrase:
            counts[history][word] += 1
            history = word
        counts[history][_END] += 1
    following = [counts[history] for history in counts if history != _ANY]
    if not following:
        raise KaldiError("a grammar needs phrases of words that are in the model's vocabulary")
    for counter in following:
        counts[_ANY].update(counter)
    states = {history: state for state, history in enumerate(sorted(counts))}
    arcs, finals = [], {}
    for history, state in states.items():
        total = counts[history].total()
        costs = {word: -math.log(DISCOUNT * count / total) for word, count in sorted(counts[history].items())}
        if _END in costs:
            finals[state] = costs.pop(_END)
        if history != _ANY:
            arcs.append((state, 0, 0, -math.log(1 - DISCOUNT), states[_ANY]))
        arcs += [(state, word, word, cost, states.get(word, states[_ANY])) for word, cost in costs.items()]
    return Fst.from_arcs(states[_ANY], finals, arcs)
