"""Lexicons: pronunciations with probabilities, markers of the position in the word, disambiguation symbols.

The files are Kaldi's lexicon.txt, lexiconp.txt and lexiconp_silprob.txt (https://kaldi-asr.org/doc/data_prep.html).
"""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import shown, words
from kaldi_bridge.io.text_files import read_lines

FORBIDDEN_WORDS = frozenset({"<s>", "</s>", "<eps>", "#0"})


@dataclass(frozen=True)
class Pronunciation:
    """One way to say a word.

    Attributes:
        word: the word.
        phones: what is said.
        probability: of saying it so, as it is written in the lexicon.
        silence: as written too, of lexiconp_silprob.txt: the probability of silence after the word, and the corrections
            of the word's probability after silence and after another word. Empty in other lexicons.
    """

    word: str
    phones: tuple[str, ...]
    probability: str = "1.0"
    silence: tuple[str, ...] = ()


def read_lexicon(
    path: str | os.PathLike[str], probabilities: bool = False, silences: bool = False
) -> list[Pronunciation]:
    """Reads lexicon.txt, or, with ``probabilities``, lexiconp.txt, or, with both, lexiconp_silprob.txt.

    Raises:
        KaldiError: a line that is repeated, has a forbidden word, no phones, or a number out of range.
    """
    numbers = probabilities + 3 * silences
    lexicon = []
    seen = set()
    for word, rest in read_lines(path):
        fields = words(rest)
        line = (word, *fields)
        where = f"{os.fspath(path)}: the line of {shown(' '.join(line))}"
        if line in seen:
            raise KaldiError(f"{where} is there twice")
        seen.add(line)
        if word in FORBIDDEN_WORDS:
            raise KaldiError(f"{where}: {word} cannot be a word of the lexicon")
        values, phones = fields[:numbers], fields[numbers:]
        for i, value in enumerate(values):
            if not _in_range(value, at_most_one=i < 2):
                raise KaldiError(f"{where}: {shown(value)} is no {'probability' if i < 2 else 'positive number'}")
        if not phones:
            raise KaldiError(f"{where} has no phones")
        lexicon.append(Pronunciation(word, tuple(phones), values[0] if values else "1.0", tuple(values[1:])))
    if not lexicon:
        raise KaldiError(f"empty file {os.fspath(path)}")
    return lexicon


def _in_range(value: str, at_most_one: bool) -> bool:
    try:
        number = float(value)
    except ValueError:
        return False
    return 0 < number <= (1 if at_most_one else 1e30)


def in_words(phones: Sequence[str]) -> tuple[str, ...]:
    """Phones with the markers of their position in a word: _B, _I, _E, or _S for a single one."""
    if len(phones) == 1:
        return (f"{phones[0]}_S",)
    first, *inner, last = phones
    return (f"{first}_B", *(f"{phone}_I" for phone in inner), f"{last}_E")


def with_positions(lexicon: Iterable[Pronunciation]) -> list[Pronunciation]:
    """Phones marked by their place in the word: _B, _I, _E, _S."""
    return [dataclasses.replace(entry, phones=in_words(entry.phones)) for entry in lexicon]


def with_disambiguation(lexicon: Sequence[Pronunciation]) -> tuple[list[Pronunciation], int]:
    """Appends #1, #2, ... to pronunciations that are another's too, or the beginning of another's; how many there are.

    Utils/add_lex_disambig.pl: so no two are the same and none is a prefix of another.
    """
    count = Counter(entry.phones for entry in lexicon)
    beginnings = {entry.phones[:n] for entry in lexicon for n in range(len(entry.phones))}
    used: Counter[tuple[str, ...]] = Counter()
    result = []
    for entry in lexicon:
        phones = entry.phones
        if count[phones] > 1 or phones in beginnings:
            used[phones] += 1
            entry = dataclasses.replace(entry, phones=(*phones, f"#{used[phones]}"))
        result.append(entry)
    return result, max(used.values(), default=0)
