"""Graphs of what a transcript says, and which arcs of a path through them are words.

LexiconGraphs   of a lang directory and the model's tree: words can be added
ComposedGraphs  of HCLr.fst, which has the pronunciations inside, and a grammar that is the transcript
TrimmedGraphs   of HCLG.fst: its paths that say the transcript, with the costs of its grammar
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from kaldi_bridge.errors import EntryError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.labels import without_arcs
from kaldi_bridge.fsts.linear import linear_acceptor
from kaldi_bridge.fsts.openfst import OpenFst
from kaldi_bridge.graphs.training_graphs import TrainingGraphOptions, TrainingGraphs
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.hmm.tree import ContextDependency
from kaldi_bridge.lang.added_words import AddedWord, with_words
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lattices.decoder import Graph
from kaldi_bridge.lattices.graph_files import GraphDirectory


class TextGraphs(Protocol):
    """``of_words``: the graph of words in numbers; raises EntryError where it has no way to say them."""

    def of_words(self, words: Sequence[int]) -> Graph: ...


class LexiconGraphs:
    """Those that training uses (compile-train-graphs), with all transition probabilities.

    Args:
        self_loop_scale: that of the graph that the model is decoded with, 1 for chain models and 0.1 for others.
    """

    def __init__(
        self,
        lang: Lang,
        tree: ContextDependency,
        model: TransitionModel,
        added: Sequence[AddedWord],
        self_loop_scale: float,
    ) -> None:
        lexicon = lang.lexicon
        if added:
            lexicon = with_words(lexicon, added, lang.oov, lang.optional_silence)
        options = TrainingGraphOptions(transition_scale=1.0, self_loop_scale=self_loop_scale)
        self._graphs = TrainingGraphs(lexicon, tree, model, lang.disambig, options)
        self._model = model

    def of_words(self, words: Sequence[int]) -> Graph:
        return Graph(self._graphs.of_words(words), self._model)


class ComposedGraphs:
    """Composed while they are searched."""

    def __init__(self, directory: GraphDirectory) -> None:
        self._directory = directory

    def of_words(self, words: Sequence[int]) -> Graph:
        return self._directory.with_grammar(linear_acceptor(words))


class TrimmedGraphs:
    """``vocabulary``: the words of all transcripts; without arcs of other words little of the graph is left."""

    def __init__(self, hclg: Fst, model: TransitionModel, vocabulary: Iterable[int]) -> None:
        others = np.setdiff1d(hclg.arcs["olabel"], [0, *vocabulary])
        self._fst = OpenFst.of(without_arcs(hclg, others.tolist(), "olabel"))
        self._model = model

    def of_words(self, words: Sequence[int]) -> Graph:
        made: Fst = self._fst.composed(OpenFst.of(linear_acceptor(words)), "right").fst()
        if not made.num_states:
            raise EntryError("the graph has no way to say the words")
        return Graph(made, self._model)
