"""Lang directories: phones, words, lexicon and topology (https://kaldi-asr.org/doc/data_prep.html, section "lang")."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, read_fst
from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import is_number, words
from kaldi_bridge.io.text_files import read_lines
from kaldi_bridge.lang.symbol_table import SymbolTable


class Root(NamedTuple):
    """Phones that share tree roots: one for all HMM states, or one for each; which may be split or not."""

    shared: bool
    split: bool
    phones: list[int]


class Lang:
    """A directory as prepare_lang.sh makes it; each file is read when it is first asked for.

    All properties raise KaldiError for a file that is missing or malformed, naming it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise KaldiError(f"no such directory {self.path}")

    @cached_property
    def phones(self) -> SymbolTable:
        return SymbolTable.read(str(self.path / "phones.txt"))

    @cached_property
    def words(self) -> SymbolTable:
        return SymbolTable.read(str(self.path / "words.txt"))

    @cached_property
    def topology(self) -> Topology:
        with open_input(str(self.path / "topo")) as stream:
            return Topology.read(stream, read_header(stream))

    @cached_property
    def lexicon(self) -> Fst:
        """L.fst: from phones to words, without disambiguation symbols."""
        return read_fst(str(self.path / "L.fst"))

    @cached_property
    def lexicon_disambig(self) -> Fst:
        return read_fst(str(self.path / "L_disambig.fst"))

    @cached_property
    def grammar(self) -> Fst:
        """G.fst."""
        return read_fst(str(self.path / "G.fst"))

    @cached_property
    def oov(self) -> int:
        """The word that stands for all those that are not in words.txt."""
        return self._one("oov.int")

    @cached_property
    def silence(self) -> list[int]:
        return self._flat("phones/silence.int")

    @cached_property
    def nonsilence(self) -> list[int]:
        return self._flat("phones/nonsilence.int")

    @cached_property
    def optional_silence(self) -> int:
        return self._one("phones/optional_silence.int")

    @cached_property
    def context_independent(self) -> list[int]:
        """Phones whose own models do not see their neighbours."""
        return self._flat("phones/context_indep.int")

    @cached_property
    def disambig(self) -> list[int]:
        """Disambiguation symbols among the phones."""
        return self._flat("phones/disambig.int")

    @cached_property
    def phone_sets(self) -> list[list[int]]:
        """Phones that are variants of one (sets.int)."""
        return self._lists("phones/sets.int")

    @cached_property
    def align_lexicon(self) -> list[list[int]]:
        """Rows of a word (0: none, silence between words), again the word, and the phones of a pronunciation."""
        return self._lists("phones/align_lexicon.int")

    @cached_property
    def extra_questions(self) -> list[list[int]]:
        return self._lists("phones/extra_questions.int", empty=True)

    @cached_property
    def word_boundary(self) -> dict[int, str]:
        """nonword, begin, end, internal or singleton by phone."""
        kinds = {}
        for key, kind in self._read("phones/word_boundary.int"):
            if kind not in ("nonword", "begin", "end", "internal", "singleton"):
                raise self._bad("phones/word_boundary.int", f"{key} {kind}")
            kinds[self._number("phones/word_boundary.int", key)] = kind
        return kinds

    @cached_property
    def roots(self) -> list[Root]:
        """How trees begin (roots.int)."""
        return read_roots(self.path / "phones/roots.int")

    def word_numbers(self, words: list[str]) -> list[int]:
        """A transcript in numbers, with ``oov`` for words that words.txt does not have."""
        return [self.words.numbers.get(word, self.oov) for word in words]

    def _lists(self, name: str, empty: bool = False) -> list[list[int]]:
        lines = self._read(name, empty)
        return [[self._number(name, word) for word in [key, *words(rest)]] for key, rest in lines]

    def _flat(self, name: str) -> list[int]:
        return [number for numbers in self._lists(name) for number in numbers]

    def _one(self, name: str) -> int:
        numbers = self._flat(name)
        if len(numbers) != 1:
            raise KaldiError(f"{self.path / name}: expected one number, got {len(numbers)}")
        return numbers[0]

    def _read(self, name: str, empty: bool = False) -> list[tuple[str, str]]:
        lines = read_lines(self.path / name)
        if not lines and not empty:
            raise KaldiError(f"empty file {self.path / name}")
        return lines

    def _number(self, name: str, word: str) -> int:
        if not (is_number(word) and len(word) < 10):
            raise self._bad(name, word)
        return int(word)

    def _bad(self, name: str, what: str) -> KaldiError:
        return KaldiError(f"{self.path / name}: unexpected {what!r}")


def read_roots(path: str | os.PathLike[str]) -> list[Root]:
    """A file of roots: lines (shared|not-shared) (split|not-split) <phone> <phone> ... Raises KaldiError."""
    roots = []
    for shared, rest in read_lines(path):
        split, *phones = words(rest) or [""]
        sharing, splitting = shared in ("shared", "not-shared"), split in ("split", "not-split")
        if not (sharing and splitting and phones and all(is_number(p) and len(p) < 10 for p in phones)):
            raise KaldiError(f"{os.fspath(path)}: unexpected {f'{shared} {rest}'!r}")
        roots.append(Root(shared == "shared", split == "split", [int(phone) for phone in phones]))
    if not roots:
        raise KaldiError(f"empty file {os.fspath(path)}")
    return roots
