"""How often words were said in which way, and with silence around them (steps/get_prons.sh).

The words are lines of utterance, first frame, number of frames, word, phones; word 0 is silence between words.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import is_number, shown, words
from kaldi_bridge.io.text_files import c_locale
from kaldi_bridge.lang.directory import Lang

_POSITION = re.compile(r"_[BISE]$")
_SILENCE = "<eps>"
Pron = tuple[str, ...]
"""A word and its phones; at the ends of utterances ("<s>",) and ("</s>",)."""


class PronunciationCounts:
    """Of all lines.

    Attributes:
        numbers: how often a (word, phones), in numbers.
        utterances: pairs of utterance and its prons, silence among them, without markers of the places in words.
    """

    def __init__(self, lines: Iterable[bytes | str], lang: Lang) -> None:
        self._lang = lang
        self.numbers: Counter[tuple[int, ...]] = Counter()
        self.utterances: list[tuple[str, list[Pron]]] = []
        for utterance, group in itertools.groupby(map(_fields, lines), key=lambda fields: fields[0]):
            prons = []
            for fields in group:
                numbers = tuple(int(field) for field in fields[3:])
                self.numbers[numbers] += 1
                prons.append(without_positions(self._symbols(numbers)))
            self.utterances.append((utterance, prons))

    def _symbols(self, numbers: tuple[int, ...]) -> Pron:
        word, *phones = numbers
        return (self._lang.words[word], *(self._lang.phones[phone] for phone in phones))

    def counts(self) -> list[tuple[int, Pron]]:
        """How often each, in symbols; the largest first, as ``sort -nr`` orders them."""
        found = [(count, self._symbols(numbers)) for numbers, count in self.numbers.items()]
        return sorted(found, key=lambda pair: (pair[0], c_locale(f"{pair[0]} {' '.join(pair[1])}")), reverse=True)

    def word_pairs(self) -> dict[tuple[Pron, Pron], int]:
        """How often one follows another, whether with silence between them or not."""
        pairs: Counter[tuple[Pron, Pron]] = Counter()
        for prons in self._with_ends():
            pairs.update(itertools.pairwise(pron for pron in prons if pron[0] != _SILENCE))
        return dict(sorted(pairs.items(), key=lambda pair: [c_locale(" ".join(pron)) for pron in pair[0]]))

    def silences(self) -> dict[Pron, tuple[int, int, int, int]]:
        """How often silence was before it, and was not, was behind it, and was not."""
        counts: defaultdict[Pron, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for prons in self._with_ends():
            for before, after in itertools.pairwise(prons):
                if before[0] != _SILENCE:
                    counts[before][2 + (after[0] != _SILENCE)] += 1
                if after[0] != _SILENCE:
                    counts[after][0 + (before[0] != _SILENCE)] += 1
        found = sorted(counts.items(), key=lambda item: c_locale(" ".join(item[0])))
        return {pron: (values[0], values[1], values[2], values[3]) for pron, values in found}

    def _with_ends(self) -> Iterator[list[Pron]]:
        for _, prons in self.utterances:
            yield [("<s>",), *prons, ("</s>",)]


def without_positions(pron: Pron) -> Pron:
    """Phones as the dictionary has them: without _B, _I, _S, _E."""
    return (pron[0], *(_POSITION.sub("", phone) for phone in pron[1:]))


def _fields(line: bytes | str) -> list[str]:
    fields = words(line)
    if len(fields) < 5 or not all(is_number(field) for field in fields[3:]):
        raise KaldiError(f"expected utterance, first frame, number of frames, word and phones: {shown(line)}")
    return fields
