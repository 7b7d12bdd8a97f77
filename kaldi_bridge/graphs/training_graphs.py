"""Training graphs: all ways to say the words of an utterance, from transition-ids to words
(decoder/training-graph-compiler.cc)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kaldi_bridge.command import option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.fsts.epsilon_removal import remove_epsilons_local
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import ARC
from kaldi_bridge.fsts.linear import linear_acceptor
from kaldi_bridge.fsts.openfst import OpenFst
from kaldi_bridge.graphs.decoding_graph import context_graph, hmm_graph
from kaldi_bridge.graphs.h_transducer import Hmms
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.hmm.tree import ContextDependency


@dataclass
class TrainingGraphOptions:
    """Kaldi's TrainingGraphCompilerOptions; scales of 0 where probabilities, which training changes, come later."""

    transition_scale: float = option(0.0, "Scale of transition probabilities (excluding self-loops)")
    self_loop_scale: float = option(0.0, "Scale of self-loop vs. non-self-loop probability mass")
    reorder: bool = option(True, "Self-loops come after the other transitions of their states, which decodes faster")
    rm_eps: bool = option(
        False, "Remove most epsilons before minimization; only where there are disambiguation symbols"
    )


class TrainingGraphs:
    """Makes the graphs of a lexicon (L.fst), tree and model.

    Args:
        lexicon: None where graphs are only made ``of_phones``.
        disambig: disambiguation symbols among the lexicon's phones.
    """

    def __init__(
        self,
        lexicon: Fst | None,
        tree: ContextDependency,
        model: TransitionModel,
        disambig: Sequence[int] = (),
        options: TrainingGraphOptions | None = None,
    ) -> None:
        for symbol in disambig:
            if symbol < 1 or symbol in model.phones:
                raise KaldiError(f"Disambiguation symbol {symbol} is also a phone, or none at all")
        has_right_context = tree.central + 1 < tree.width
        self._end = 1 + max([*model.phones, *disambig]) if lexicon and has_right_context else 0
        if lexicon and has_right_context:
            lexicon = with_end_loop(lexicon, self._end)
        # OpenFst looks up what it needs of a large lexicon, where our composition would go through all of it each time.
        self._lexicon = OpenFst.of(lexicon).arc_sorted("olabel") if lexicon else None
        self._tree, self._model, self._disambig = tree, model, list(disambig)
        self._options = options or TrainingGraphOptions()
        self._hmms = Hmms(tree, model, self._options.transition_scale)

    def of_words(self, words: Sequence[int]) -> Fst:
        """Raises EntryError when the lexicon does not have all the words."""
        return self.of_grammar(linear_acceptor(words))

    def of_grammar(self, grammar: Fst) -> Fst:
        """The graph of all that an acceptor of words accepts; its costs stay.

        Raises EntryError when the lexicon has no way to say any of it.
        """
        if self._lexicon is None:
            raise ValueError("graphs of words need a lexicon")
        phones = self._lexicon.composed(OpenFst.of(grammar)).fst()
        if not phones.num_states:
            raise EntryError("no way to say the words: is one of them without a pronunciation?")
        return self._of_phones(phones, self._end)

    def of_phones(self, phones: Fst) -> Fst:
        """The graph of a transducer from phones to words."""
        return self._of_phones(phones, 0)

    def _of_phones(self, phones: Fst, end_symbol: int) -> Fst:
        graph, labels = context_graph(phones, self._tree, self._disambig, end_symbol=end_symbol)
        options = self._options
        scales = options.transition_scale, options.self_loop_scale
        return hmm_graph(
            graph, labels, self._tree, self._model, *scales, self._hmms,
            remove_epsilons=self._without_epsilons, reorder=options.reorder,
        )[0]  # fmt: skip

    def _without_epsilons(self, graph: Fst) -> Fst:
        if self._options.rm_eps and self._disambig:
            return remove_epsilons_local(graph, stochastic_in_log=False)
        return graph


def with_end_loop(fst: Fst, symbol: int) -> Fst:
    """With one more end, to which final states lead by the symbol, and which reads it again (AddSubsequentialLoop)."""
    finals, end = np.flatnonzero(np.isfinite(fst.finals)), fst.num_states
    more = np.zeros(len(finals) + 1, ARC)
    more["ilabel"], more["nextstate"], more["weight"][:-1] = symbol, end, fst.finals[finals]
    sources = np.concatenate([fst.sources, finals, [end]])
    order = np.argsort(sources, kind="stable")
    return Fst(
        fst.start,
        np.append(fst.finals, np.float32(0.0)),
        np.concatenate([[0], np.cumsum(np.bincount(sources, minlength=end + 1))]),
        np.concatenate([fst.arcs, more])[order],
    )


def spoken_once(words: Sequence[int], pronunciations: Sequence[Sequence[int]], silence: int) -> Fst:
    """From the phones of each word, one after the other, to the words; between them and at both ends, maybe silence.

    A word is on its first phone; as in Kaldi (bin/compile-train-graphs-without-lexicon.cc), it is left out where that
    is also its last one. Raises EntryError for a word without phones.
    """
    arcs = [(0, 0, 0, 0.0, 1), (0, 0, 0, 0.0, 2), (2, silence, 0, 0.0, 1)]
    state, count = 1, 3
    for word, phones in zip(words, pronunciations, strict=True):
        if not len(phones):
            raise EntryError(f"the word {word} has no phones")
        for position, phone in enumerate(phones[:-1]):
            arcs.append((state, int(phone), 0 if position else int(word), 0.0, count))
            state, count = count, count + 1
        last, following, pause = int(phones[-1]), count, count + 1
        arcs += [(state, last, 0, 0.0, following), (state, last, 0, 0.0, pause), (pause, silence, 0, 0.0, following)]
        state, count = following, count + 2
    return Fst.from_arcs(0, {state: 0.0}, arcs)
