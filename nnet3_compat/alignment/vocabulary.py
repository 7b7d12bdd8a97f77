"""Which words of a model's vocabulary stand for the words of a transcript as it is written.

"Well," is found as it stands, in lower or upper case, without the punctuation around it, or in its parts between
hyphens. What is found nowhere is aligned as the unknown word, and reported.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from kaldi_bridge import log
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.io.text import shown
from kaldi_bridge.lang.lexicon import FORBIDDEN_WORDS
from kaldi_bridge.lang.symbol_table import SymbolTable

UNKNOWN_WORDS = ("<unk>", "[unk]", "<UNK>", "[UNK]")
_MARKS = r"(?:[^\w\udc80-\udcff]|_)+"  # a byte that is no UTF-8 may be a letter
_AROUND = re.compile(f"^{_MARKS}|{_MARKS}$")


class Spoken(NamedTuple):
    """A word as it is written, and the numbers of those that are said; none for a mere mark."""

    written: str
    numbers: tuple[int, ...]


class Vocabulary:
    """The words of a symbol table, and others that are added.

    Args:
        unknown: what stands for words that are not there; "": the first of UNKNOWN_WORDS that is.

    Attributes:
        added: the words that the symbol table lacks, by their numbers.

    Raises:
        KaldiError: ``unknown`` is given and is not there.
    """

    def __init__(self, words: SymbolTable, unknown: str = "", added: Iterable[str] = ()) -> None:
        self._numbers = {
            word: number for word, number in words.numbers.items() if number > 0 and word not in FORBIDDEN_WORDS
        }
        if unknown and unknown not in self._numbers:
            raise KaldiError(f"the unknown word {shown(unknown)} is not in the model's vocabulary")
        there = [word for word in UNKNOWN_WORDS if word in self._numbers]
        self._unknown = self._numbers.get(unknown or (there[0] if there else ""))
        self._missing: Counter[str] = Counter()
        new = [word for word in dict.fromkeys(added) if word not in self._numbers]
        self.added = dict(enumerate(new, max(words.symbols) + 1))
        self._numbers |= {word: number for number, word in self.added.items()}

    def __getitem__(self, word: str) -> int:
        """Of a word that is there."""
        return self._numbers[word]

    def find(self, word: str) -> tuple[int, ...] | None:
        """The numbers of what is said where this is written; () for a mere mark, None for an unknown word."""
        for form in _forms(word):
            if form in self._numbers:
                return (self._numbers[form],)
        bare = _AROUND.sub("", word)
        if not bare:
            return ()
        parts = [self.find(part) for part in bare.split("-")] if "-" in bare else [None]
        known = [part for part in parts if part is not None]
        return tuple(number for part in known for number in part) if len(known) == len(parts) else None

    def spoken(self, words: Sequence[str]) -> list[Spoken]:
        """A transcript. Raises EntryError where nothing is said, or nothing stands for a word that is unknown."""
        found = []
        for word in words:
            numbers = self.find(word)
            if numbers is None:
                if self._unknown is None:
                    raise EntryError(
                        f"the model's vocabulary has neither {shown(word)} nor a word for unknown ones: give "
                        "--unknown-word, or align with --lang and --lexicon, which has its pronunciation"
                    )
                self._missing[word] += 1
                numbers = (self._unknown,)
            found.append(Spoken(word, numbers))
        if not any(numbers for _, numbers in found):
            raise EntryError("the transcript has no words")
        return found

    def numbers_of(self, words: Iterable[str]) -> set[int]:
        """All that may be said where these are written."""
        unknown = () if self._unknown is None else (self._unknown,)
        found = [self.find(word) for word in dict.fromkeys(words)]
        return {number for numbers in found for number in (unknown if numbers is None else numbers)}

    def report(self) -> None:
        """Warns of each word that was aligned as the unknown one."""
        for word, count in sorted(self._missing.items()):
            log.warning(f"No pronunciation of {shown(word)}: taken for an unknown word, {count} time(s)")


def _forms(word: str) -> Iterator[str]:
    bare = _AROUND.sub("", word)
    for form in (word, word.lower(), word.upper(), bare, bare.lower(), bare.upper()):
        if form:
            yield form
