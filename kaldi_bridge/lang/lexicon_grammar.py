"""LG: what a lexicon and a grammar accept together."""

from __future__ import annotations

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fstext import composed, encoded_minimized, star_determinized
from kaldi_bridge.fsts.weight_pushing import push_special


def lexicon_and_grammar(lexicon: Fst, grammar: Fst) -> Fst:
    """LG, deterministic and minimal; the lexicon has disambiguation symbols. Raises KaldiError when it is empty."""
    made = composed(lexicon, grammar)
    if not made.num_states:
        raise KaldiError("no word of the grammar is in the lexicon: L_disambig.fst and G.fst of different words.txt?")
    made = star_determinized(made)
    return push_special(encoded_minimized(made))
