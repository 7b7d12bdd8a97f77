"""Which phones of an utterance belong to which of its words (bin/phones-to-prons.cc).

The lexicon is an L_align.fst: L with a symbol before each word's first phone and one behind its last.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from kaldi_bridge.errors import EntryError
from kaldi_bridge.fsts.fst import Fst


class PronunciationFinder:
    """Finds the cheapest path of a lexicon with given phones and words."""

    def __init__(self, lexicon: Fst, word_start: int, word_end: int) -> None:
        self._lexicon, self._marks = lexicon, (word_start, word_end)
        self._arcs: dict[tuple[int, int], list[tuple[int, float, int]]] = defaultdict(list)
        sources = np.repeat(np.arange(lexicon.num_states), np.diff(lexicon.offsets)).tolist()
        for source, (phone, word, cost, target) in zip(sources, lexicon.arcs.tolist(), strict=True):
            self._arcs[source, word].append((phone, cost, target))

    def find(self, phones: Sequence[int], words: Sequence[int]) -> list[list[int]]:
        """Lists of a word and its phones; word 0: phones between words, as silence.

        Raises EntryError where the lexicon has no such path.
        """
        return self._split(self._marked(phones, words), words)

    def _marked(self, phones: Sequence[int], words: Sequence[int]) -> list[int]:
        """The phones with the symbols before and behind words."""
        if self._lexicon.start < 0:
            raise EntryError("the lexicon is empty")
        finals = self._lexicon.finals.tolist()
        start = (self._lexicon.start, 0, 0)  # state, number of words and of phones so far
        before: dict[tuple[int, int, int], tuple[tuple[int, int, int], int]] = {}
        costs = {start: 0.0}
        queue = [(0.0, 0, start, False)]
        count = 0
        while queue:
            cost, _, place, ended = heapq.heappop(queue)
            if ended:
                return self._read(before, place)
            if cost > costs[place]:
                continue
            state, w, p = place
            if w == len(words) and p == len(phones) and finals[state] < np.inf:
                count += 1
                heapq.heappush(queue, (cost + finals[state], count, place, True))
            for word in (0, words[w]) if w < len(words) else (0,):
                for phone, more, target in self._arcs.get((state, word), ()):
                    mark = phone == 0 or phone in self._marks
                    if not mark and (p == len(phones) or phones[p] != phone):
                        continue
                    there = (target, w + (word != 0), p + (not mark))
                    if cost + more < costs.get(there, np.inf):
                        costs[there] = cost + more
                        before[there] = (place, phone)
                        count += 1
                        heapq.heappush(queue, (cost + more, count, there, False))
        raise EntryError("either decoding for this utterance did not reach end-state, or mismatched lexicon")

    @staticmethod
    def _read(
        before: dict[tuple[int, int, int], tuple[tuple[int, int, int], int]], place: tuple[int, int, int]
    ) -> list[int]:
        marked = []
        while place in before:
            place, phone = before[place]
            if phone:
                marked.append(phone)
        return marked[::-1]

    def _split(self, marked: list[int], words: Sequence[int]) -> list[list[int]]:
        start, end = self._marks
        prons: list[list[int]] = []
        rest = iter(words)
        open_word = between = False
        for phone in marked:
            if phone == (start if open_word else end) or (phone == start and (word := next(rest, 0)) == 0):
                raise EntryError("mismatched or non-marked lexicon or partial alignment")
            if phone == start:
                prons.append([int(word)])
                open_word, between = True, False
            elif phone == end:
                open_word = False
            elif open_word or between:
                prons[-1].append(phone)
            else:
                prons.append([0, phone])
                between = True
        if open_word or next(rest, None) is not None:
            raise EntryError("mismatched or non-marked lexicon or partial alignment")
        return prons


def word_lengths(prons: Sequence[Sequence[int]], phones: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(word, frames) of lists of a word and its phones, by the phones of the utterance with their frames.

    Raises EntryError where a list is empty, or its phones are not the next ones of the utterance.
    """
    words, place = [], 0
    for pron in prons:
        if not pron:
            raise EntryError("Invalid, empty pronunciation.")
        own = phones[place : place + len(pron) - 1]
        if [phone for phone, _ in own] != list(pron[1:]):
            raise EntryError("mismatch between prons and phones.")
        words.append((pron[0], sum(frames for _, frames in own)))
        place += len(own)
    if place != len(phones):
        raise EntryError("mismatch between prons and phones (wrong #phones)")
    return words
