"""LG: what a lexicon and a grammar accept together."""

from __future__ import annotations

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.openfst import OpenFst
from kaldi_bridge.fsts.weight_pushing import push_special


def lexicon_and_grammar(lexicon: Fst, grammar: Fst) -> Fst:
    """LG, deterministic and minimal; the lexicon has disambiguation symbols. Raises KaldiError when it is empty."""
    composed = OpenFst.of(lexicon).composed(OpenFst.of(grammar))
    if not composed.num_states:
        raise KaldiError("no word of the grammar is in the lexicon: L_disambig.fst and G.fst of different words.txt?")
    return push_special(composed.star_determinized().encoded_minimized().fst())
