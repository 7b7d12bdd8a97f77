"""Graphs of what a transcript says, and which arcs of a path through them are words.

LexiconGraphs   of a lang directory and the model's tree: words can be added
ComposedGraphs  of HCLr.fst, which has the pronunciations inside, and a grammar that is the transcript
TrimmedGraphs   of HCLG.fst: its paths that say the transcript, with the costs of its grammar; or of HCLr.fst
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np

from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.labels import without_arcs
from kaldi_bridge.fsts.linear import linear_acceptor
from kaldi_bridge.fsts.openfst import OpenFst
from kaldi_bridge.graphs.training_graphs import TrainingGraphOptions, TrainingGraphs
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.hmm.tree import ContextDependency
from kaldi_bridge.lang.added_words import AddedWord, with_words
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lang.lexicon import Pronunciation, with_disambiguation
from kaldi_bridge.lang.lexicon_fst import lexicon_fst
from kaldi_bridge.lang.text_grammar import text_grammar
from kaldi_bridge.lattices.decoder import Graph
from kaldi_bridge.lattices.graph_files import GraphDirectory


class TextGraphs(Protocol):
    """``of_words``: the graph of words in numbers; raises EntryError where it has no way to say them.

    ``of_text``: of what may be said where these words are known to be read, with errors and parts left out.
    """

    def of_words(self, words: Sequence[int]) -> Graph: ...

    def of_text(self, words: Sequence[int]) -> Graph: ...


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
        self._options = TrainingGraphOptions(transition_scale=1.0, self_loop_scale=self_loop_scale)
        self._graphs = TrainingGraphs(lexicon, tree, model, lang.disambig, self._options)
        self._lang, self._tree, self._model, self._added = lang, tree, model, added

    def of_words(self, words: Sequence[int]) -> Graph:
        return Graph(self._graphs.of_words(words), self._model)

    def of_text(self, words: Sequence[int]) -> Graph:
        """Of a text grammar and a lexicon of its words alone, pronunciations of a word being equally probable."""
        known = {*words, self._lang.oov}
        rows = [(row[0], row[2:]) for row in self._lang.align_lexicon if row[0] in known]
        rows += [(entry.word, list(entry.phones)) for entry in self._added if entry.word in known]
        lexicon, count = with_disambiguation(
            [Pronunciation(str(word), tuple(map(str, phones))) for word, phones in rows]
        )
        highest = max(self._lang.phones.symbols)
        disambig = {f"#{n}": highest + 1 + n for n in range(count + 2)}  # 0 for the grammar's, the last for silence
        phones = {str(n): n for n in self._model.phones} | disambig
        backoff = max([*known, *self._lang.words.symbols]) + 1
        fst = lexicon_fst(
            lexicon, phones, {str(word): word for word in known}, str(self._lang.optional_silence),
            silence_disambig=f"#{count + 1}", loops=[(disambig["#0"], backoff)],
        )  # fmt: skip
        graphs = TrainingGraphs(fst, self._tree, self._model, list(disambig.values()), self._options)
        return Graph(graphs.of_grammar(text_grammar(words, backoff=backoff, others=[self._lang.oov])), self._model)


class ComposedGraphs:
    """Composed while they are searched."""

    def __init__(self, directory: GraphDirectory) -> None:
        self._directory = directory

    def of_words(self, words: Sequence[int]) -> Graph:
        return self._directory.with_grammar(linear_acceptor(words))

    def of_text(self, words: Sequence[int]) -> Graph:
        return self._directory.with_grammar(text_grammar(words))


class TrimmedGraphs:
    """``vocabulary``: the words of all transcripts; without arcs of other words little of the graph is left.

    Raises KaldiError for a graph of another model, where that shows.
    """

    def __init__(self, hclg: Fst, model: TransitionModel, vocabulary: Iterable[int]) -> None:
        highest, known = int(hclg.arcs["ilabel"].max(initial=0)), model.num_transition_ids
        if highest > known:
            raise KaldiError(
                f"the graph has transition-id {highest}, but the model only {known}: it is of another model"
            )
        self._hclg, self._model, self._vocabulary = hclg, model, vocabulary

    @cached_property
    def _fst(self) -> OpenFst:
        others = np.setdiff1d(self._hclg.arcs["olabel"], [0, *self._vocabulary])
        return OpenFst.of(without_arcs(self._hclg, others.tolist(), "olabel"))

    def of_words(self, words: Sequence[int]) -> Graph:
        return Graph(self.fst_of_words(words), self._model)

    def fst_of_words(self, words: Sequence[int]) -> Fst:
        """That graph before it can be searched."""
        made: Fst = self._fst.composed(OpenFst.of(linear_acceptor(words)), "right").fst()
        if not made.num_states:
            raise EntryError("the graph has no way to say the words")
        return made

    def of_text(self, words: Sequence[int]) -> Graph:
        """The whole graph, whose own grammar cannot be changed."""
        return Graph(self._hclg, self._model)
