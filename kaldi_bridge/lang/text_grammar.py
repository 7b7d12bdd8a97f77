"""A grammar of one text: what is read from it aloud, with parts left out, repeated or out of order.

With counts c of what follows a history h of up to n - 1 words in the text,

    p(w | h) = D c(h w) / c(h),    and with 1 - D back to h without its first word.

Whoever keeps to the text pays little more than -log D for a word, and may leave it and come back anywhere. As Kaldi's
biased language models (steps/cleanup/internal/make_one_biased_lm.py), but with one discount for all histories.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst

DISCOUNT = 0.5  # D
History = tuple[int, ...]


def text_grammar(words: Sequence[int], order: int = 4, backoff: int = 0, others: Sequence[int] = ()) -> Fst:
    """From words to the same, with costs, sorted by label; all states may be the last.

    Args:
        words: the text.
        order: n.
        backoff: input label of the arcs to shorter histories.
        others: words beside those of the text, such as the unknown one; as probable as if each occurred once.

    Raises KaldiError where there are no words.
    """
    if not words:
        raise KaldiError("a grammar of a text needs words")
    counts: defaultdict[History, Counter[int]] = defaultdict(Counter)
    for end, word in enumerate(words):
        for length in range(min(order, end + 1)):
            counts[tuple(words[end - length : end])][word] += 1
    counts[()].update(other for other in dict.fromkeys(others) if other not in counts[()])
    states = {history: state for state, history in enumerate(sorted(counts, key=len))}
    arcs = []
    for history, state in states.items():
        total = counts[history].total()
        if history:
            arcs.append((state, backoff, 0, -math.log(1 - DISCOUNT), states[history[1:]]))
        for word, count in counts[history].items():
            following = (*history, word)[-(order - 1) :] if order > 1 else ()
            while following not in states:
                following = following[1:]
            arcs.append(
                (state, word, word, -math.log((DISCOUNT if history else 1.0) * count / total), states[following])
            )
    arcs.sort(key=lambda arc: arc[:2])
    return Fst.from_arcs(states[()], dict.fromkeys(states.values(), 0.0), arcs)
