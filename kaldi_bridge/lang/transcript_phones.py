"""Transcripts as phones, with silences thrown in: what a phone language model of flat-start training is made of
(steps/nnet3/chain/e2e/text_to_phones.py, compute_biphone_stats.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lang.directory import Lang


class TranscriptPhones:
    """``transcript_phones(words)``: the phones of a transcript; of several pronunciations any, words not known as oov.

    Args:
        edge_silence, between_silence: how probable an optional silence is at either end, and between words.
    """

    def __init__(self, lang: Lang, edge_silence: float = 0.8, between_silence: float = 0.2, seed: int = 0) -> None:
        if not (0 <= edge_silence <= 1 and 0 <= between_silence <= 1):
            raise KaldiError("the probabilities of silences must be from 0 to 1")
        self._pronunciations: dict[int, list[list[int]]] = {}
        for word, _, *phones in lang.align_lexicon:
            if word:
                self._pronunciations.setdefault(word, []).append(phones)
        if lang.oov not in self._pronunciations:
            raise KaldiError(f"{lang.path / 'phones/align_lexicon.int'} has no line for the word {lang.oov} (oov.int)")
        self._lang, self._edge, self._between = lang, edge_silence, between_silence
        self._random = np.random.default_rng(seed)

    def __call__(self, words: Sequence[str]) -> list[int]:
        phones = self._maybe_silence(self._edge)
        for i, word in enumerate(self._lang.word_numbers(list(words))):
            ways = self._pronunciations.get(word) or self._pronunciations[self._lang.oov]
            phones += ways[int(self._random.integers(len(ways)))]
            phones += self._maybe_silence(self._between if i + 1 < len(words) else self._edge)
        return phones

    def _maybe_silence(self, probability: float) -> list[int]:
        return [self._lang.optional_silence] if self._random.random() < probability else []


def count_lines(sequences: Iterable[Sequence[int]], phone_sets: Sequence[Sequence[int]]) -> list[list[int]]:
    """Rows "left right count", left 0 at the beginning, then rows "phone count"; of none that does not occur.

    Phones of the same set are counted as one, and each has the count of all.
    """
    one_of = {phone: phones[0] for phones in phone_sets for phone in phones} | {0: 0}
    every = [phone for phones in phone_sets for phone in phones]
    pairs: Counter[tuple[int, int]] = Counter()
    for phones in sequences:
        shared = [one_of[phone] for phone in phones]
        pairs.update(zip([0, *shared[:-1]], shared, strict=True))
    singles: Counter[int] = Counter()
    for (_, right), count in pairs.items():
        singles[right] += count
    rows = [[a, b, pairs[one_of[a], one_of[b]]] for a in [0, *every] for b in every]
    rows += [[phone, singles[one_of[phone]]] for phone in every]
    return [row for row in rows if row[-1]]
