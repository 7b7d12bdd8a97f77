"""G: acceptors of word sequences for decoding, and what they must be like (utils/lang/check_g_properties.pl)."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.lang.symbol_table import SymbolTable


def word_loop(words: Sequence[int], end_probability: float) -> Fst:
    """Any sequence of these words, each as probable; ``end_probability`` is that of ending after any of them.

    Raises KaldiError for no words, or a probability that is not between 0 and 1.
    """
    if not words or not 0 < end_probability < 1:
        raise KaldiError(f"no loop of {len(words)} words with a probability of {end_probability:g} to end")
    cost = -math.log((1 - end_probability) / len(words))
    return Fst.from_arcs(0, {0: -math.log(end_probability)}, [(0, word, word, cost, 0) for word in sorted(words)])


def check_grammar(grammar: Fst, words: SymbolTable, silent: Collection[int] = ()) -> None:
    """Raises KaldiError for a grammar that a decoding graph cannot be made of.

    Args:
        grammar: G.
        words: its symbols; those that begin with # are disambiguation symbols.
        silent: words without phones.
    """
    if grammar.start < 0:
        raise KaldiError("the grammar is empty: are its words those of words.txt?")
    labels = np.concatenate([grammar.arcs["ilabel"], grammar.arcs["olabel"]])
    for symbol in ("<s>", "</s>"):
        if symbol in words.numbers and (labels == words.numbers[symbol]).any():
            raise KaldiError(f"the grammar has {symbol} on an arc: was it made without --disambig-symbol?")
    disambig = [number for number, symbol in words.symbols.items() if symbol.startswith("#")]
    ilabels, olabels = grammar.arcs["ilabel"], grammar.arcs["olabel"]
    is_disambig = np.isin(ilabels, disambig)
    if (is_disambig & (olabels != 0)).any():
        raise KaldiError("the grammar has a disambiguation symbol among its words")
    if ((ilabels != olabels) & ~is_disambig).any():
        raise KaldiError("the grammar has an arc with different words on its two sides")
    unknown = np.setdiff1d(ilabels, list(words.symbols))
    if len(unknown):
        raise KaldiError(f"the grammar has a word {unknown[0]}, which words.txt does not have")
    if _has_cycle(grammar, is_disambig | np.isin(ilabels, [0, *silent])):
        raise KaldiError("the grammar has a cycle without any word that is said: it would not be determinizable")


def _has_cycle(fst: Fst, chosen: np.ndarray) -> bool:
    """Whether these arcs have a cycle: arcs that nothing follows are taken away as long as there are any."""
    source, target = fst.sources[chosen], fst.arcs["nextstate"][chosen]
    while len(source):
        followed = np.isin(target, source)
        if followed.all():
            return True
        source, target = source[followed], target[followed]
    return False
