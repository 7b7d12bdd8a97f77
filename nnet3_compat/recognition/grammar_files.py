"""Grammars in files, for graphs whose grammar can be chosen: phrases, JSGF, n-grams in ARPA form, FSTs."""

from __future__ import annotations

import tempfile

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.fsts.fst import Fst, read_fst
from kaldi_bridge.fsts.fst_header import MAGIC
from kaldi_bridge.fsts.rational import arc_sorted, projected
from kaldi_bridge.io.text import shown, strip
from kaldi_bridge.io.text_files import read_text, write_text
from kaldi_bridge.lang.arpa import compile_arpa
from kaldi_bridge.lang.jsgf import is_jsgf, jsgf_grammar
from kaldi_bridge.lang.phrase_grammar import numbers_of, phrase_grammar
from kaldi_bridge.lang.symbol_table import SymbolTable

BACKOFF = "#0"


def read_grammar(file: str, words: SymbolTable) -> Fst:
    """An acceptor of the vocabulary's words, sorted by label.

    The kind of the file is told by its content. Phrases stand one on a line; an FST's words have the numbers of
    ``words``. Words that the vocabulary lacks are reported: phrases are taken without them, alternatives in JSGF and
    n-grams with them are left out.

    Raises KaldiError for a file that is none of these.
    """
    with within(file):
        try:
            with open(file, "rb") as stream:
                begin = stream.read(4)
        except OSError as error:
            raise KaldiError(str(error.strerror)) from None
        if begin == MAGIC:
            return _checked(projected(read_fst(file), "output"), words)
        text = read_text(file)
        if is_jsgf(text):
            return arc_sorted(jsgf_grammar(text, lambda word: _number_of(word, words)))
        if strip(text).startswith("\\data\\"):
            return _of_arpa(file, words)
        numbers, unknown = numbers_of(text.split("\n"), words)
        for word in unknown:
            _report(word)
        return phrase_grammar([phrase for phrase in numbers if phrase])


def _checked(fst: Fst, words: SymbolTable) -> Fst:
    strange = sorted(set(np.unique(fst.arcs["olabel"]).tolist()) - words.symbols.keys() - {0})
    if strange:
        raise KaldiError(f"the FST has the label {strange[0]}, which is no word of the model")
    return arc_sorted(fst)


def _of_arpa(file: str, words: SymbolTable) -> Fst:
    lines = [f"{word} {number}\n" for number, word in words.symbols.items() if word != BACKOFF]
    with tempfile.TemporaryDirectory() as folder:
        table = f"{folder}/words.txt"
        write_text(table, "".join([*lines, f"{BACKOFF} {max(words.symbols) + 1}\n"]))
        return arc_sorted(projected(compile_arpa(file, table, disambig_symbol=BACKOFF), "output"))


def _number_of(word: str, words: SymbolTable) -> int:
    """0 for one that is not there."""
    if word not in words.numbers:
        _report(word)
    return words.numbers.get(word, 0)


def _report(word: str) -> None:
    log.warning(f"Ignoring word missing in vocabulary: {shown(word)}")
