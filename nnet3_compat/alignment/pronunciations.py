"""Pronunciations beside those of a lang directory: given in a file, or the letters of a word where the lexicon spells.

Phones of the file are those of the dictionary; where the lang directory marks their places in words (_B, _I, _E, _S),
they are marked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import shown
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lang.lexicon import Pronunciation, in_words, read_lexicon

ENOUGH = 0.8  # of a lexicon's words that are said as they are spelled: then others are, too


class ExtraPronunciations:
    """What can be said of words that a lang directory lacks."""

    def __init__(self, lang: Lang) -> None:
        self._lang = lang
        self._phones = lang.phones.numbers

    def of_file(self, path: str) -> list[Pronunciation]:
        """Those of a file in the form of lexicon.txt. Raises KaldiError for phones that the model does not have."""
        found = []
        for entry in read_lexicon(path):
            phones = self._marked(entry.phones)
            if phones is None:
                strange = next((phone for phone in entry.phones if self._marked([phone]) is None), entry.phones[0])
                raise KaldiError(f"{path}: {shown(entry.word)}: the model has no phone {shown(strange)}")
            found.append(replace(entry, phones=phones))
        return found

    def spelled(self, words: Iterable[str]) -> list[Pronunciation]:
        """Of those of the words whose letters are phones of the model, where its lexicon spells words."""
        found = []
        for word in words:
            phones = self._spelled(word) if self._spells else None
            if phones is not None:
                log.info(f"Pronouncing {shown(word)} as it is spelled")
                found.append(Pronunciation(word, phones))
        return found

    def _spelled(self, word: str) -> tuple[str, ...] | None:
        return self._marked(list(word)) or self._marked(list(word.lower())) or self._marked(list(word.upper()))

    def _marked(self, phones: Sequence[str]) -> tuple[str, ...] | None:
        """The phones as the lang directory has them; None where it lacks one."""
        for form in (in_words(phones), tuple(phones)):
            if all(phone in self._phones for phone in form):
                return form
        return None

    @cached_property
    def _spells(self) -> bool:
        words, phones = self._lang.words, self._lang.phones
        silence = set(self._lang.silence)
        spoken = [(words[row[0]], row[2:]) for row in self._lang.align_lexicon if row[0] and not silence & set(row[2:])]
        agreeing = sum(
            self._spelled(word) == tuple(phones[number] for number in said)
            for word, said in spoken
            if all(number in phones.symbols for number in said)
        )
        return agreeing >= ENOUGH * max(1, len(spoken))
