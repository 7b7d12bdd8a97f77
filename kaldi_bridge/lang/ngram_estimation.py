"""Back-off n-gram models from text: interpolated modified Kneser-Ney (Chen and Goodman, 1998), written in ARPA form.

    p(w | h) = max(c(h w) - D, 0) / c(h) + g(h) p(w | h without its first word)

where D is D1, D2 or D3 for counts of 1, 2 and more, and g(h) what the discounts of h leave. Counts of shorter n-grams
are numbers of different words before them, except after <s>, before which there is none. In ARPA form g(h) is the
backoff weight of h, so that n-grams that were not seen have the right probability too.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError

BEGIN, END = "<s>", "</s>"
FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)
"""Where a text has too few n-grams to estimate discounts of."""

Ngram = tuple[str, ...]


class NgramModel:
    """Probabilities of n-grams and backoff weights of histories, natural numbers rather than logarithms."""

    def __init__(self, order: int, probabilities: list[dict[Ngram, float]], backoffs: dict[Ngram, float]) -> None:
        self.order, self.probabilities, self.backoffs = order, probabilities, backoffs

    def probability(self, word: str, history: Sequence[str]) -> float:
        """Of a word after the last words of a history; 0 for a word that is not in the vocabulary."""
        context = tuple(history[max(0, len(history) - self.order + 1) :])
        weight = 1.0
        while True:
            ngram = (*context, word)
            if ngram in self.probabilities[len(context)]:
                return weight * self.probabilities[len(context)][ngram]
            if not context:
                return 0.0
            weight *= self.backoffs.get(context, 1.0)
            context = context[1:]

    def arpa_lines(self) -> Iterator[str]:
        """The lines of a file in ARPA form."""
        yield "\\data\\"
        for n, ngrams in enumerate(self.probabilities, 1):
            yield f"ngram {n}={len(ngrams)}"
        for n, ngrams in enumerate(self.probabilities, 1):
            yield from ("", f"\\{n}-grams:")
            for ngram in sorted(ngrams):
                backoff = self.backoffs.get(ngram)
                end = "" if backoff is None else f"\t{_log10(backoff)}"
                yield f"{_log10(ngrams[ngram])}\t{' '.join(ngram)}{end}"
        yield from ("", "\\end\\")


def _log10(value: float) -> str:
    return f"{math.log10(value):.7g}" if value > 0 else "-99"


def estimate(
    sentences: Iterable[Sequence[str]], order: int = 3, vocabulary: Collection[str] | None = None
) -> NgramModel:
    """A model of sentences.

    Args:
        sentences: words, without <s> and </s>.
        order: the longest n-grams have this many words.
        vocabulary: words that the model has beside those of the sentences.

    Raises:
        KaldiError: no sentences, an order below 1, or <s> or </s> inside a sentence.
    """
    if order < 1:
        raise KaldiError(f"no n-grams of {order} words")
    counts = _counts(sentences, order)
    if not counts[-1]:
        raise KaldiError("no sentences to estimate a language model of")
    known = {ngram[-1] for level in counts for ngram in level} | set(vocabulary or ())
    known.discard(BEGIN)
    lower: dict[Ngram, float] = dict.fromkeys(((word,) for word in known), 1.0 / len(known))
    probabilities: list[dict[Ngram, float]] = []
    backoffs: dict[Ngram, float] = {}
    for n, level in enumerate(counts, 1):
        estimated, left = _smoothed(level, lower, n)
        if n == 1:
            estimated |= {ngram: left[()] * p for ngram, p in lower.items() if ngram not in estimated}
            estimated[BEGIN,] = 0.0
        else:
            backoffs |= left
        probabilities.append(estimated)
        lower = estimated
    return NgramModel(order, probabilities, backoffs)


def _counts(sentences: Iterable[Sequence[str]], order: int) -> list[Counter[Ngram]]:
    """Of n-grams by length: how often the longest ones and those after <s> occur; of others, after how many words."""
    longest: Counter[Ngram] = Counter()
    at_beginning: list[Counter[Ngram]] = [Counter() for _ in range(order)]
    for sentence in sentences:
        words = (BEGIN, *sentence, END)
        if BEGIN in words[1:] or END in words[:-1]:
            raise KaldiError(f"a sentence with {BEGIN} or {END} in it: {' '.join(sentence)[:80]!r}")
        for end in range(2, len(words) + 1):
            if end < order:
                at_beginning[end - 1][words[:end]] += 1
            else:
                longest[words[end - order : end]] += 1
    counts = [longest]
    for n in range(order - 1, 0, -1):
        shorter: Counter[Ngram] = Counter(ngram[1:] for ngram in counts[0])
        counts.insert(0, shorter + at_beginning[n - 1] if n > 1 else shorter)
    return counts


def _smoothed(
    counts: Counter[Ngram], lower: dict[Ngram, float], order: int
) -> tuple[dict[Ngram, float], dict[Ngram, float]]:
    """Probabilities of the n-grams that occur, interpolated with those of one word less, and g(h) by history."""
    discounts = _discounts(counts, order)
    totals: defaultdict[Ngram, int] = defaultdict(int)
    removed: defaultdict[Ngram, float] = defaultdict(float)
    for ngram, count in counts.items():
        totals[ngram[:-1]] += count
        removed[ngram[:-1]] += min(discounts[min(count, 3) - 1], count)
    left = {history: removed[history] / total for history, total in totals.items()}
    probabilities = {}
    for ngram, count in counts.items():
        history = ngram[:-1]
        shorter = lower[ngram] if order == 1 else lower[ngram[1:]]
        kept = max(count - discounts[min(count, 3) - 1], 0.0)
        probabilities[ngram] = kept / totals[history] + left[history] * shorter
    return probabilities, left


def _discounts(counts: Counter[Ngram], order: int) -> tuple[float, float, float]:
    """Of counts of 1, 2 and more, from the numbers of n-grams that occur one to four times."""
    n1, n2, n3, n4 = (sum(count == c for count in counts.values()) for c in (1, 2, 3, 4))
    if min(n1, n2, n3) > 0:
        y = n1 / (n1 + 2 * n2)
        found = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
        if all(0 < discount <= c for c, discount in enumerate(found, 1)):
            return found
    log.warning(f"Too little text to estimate discounts of {order}-grams: taking {FALLBACK_DISCOUNTS}")
    return FALLBACK_DISCOUNTS
