"""Training graphs: all ways to say the words of an utterance, from transition-ids to words
(decoder/training-graph-compiler.cc)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kaldi_bridge.command import option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.fsts.epsilon_removal import remove_epsilons_local
from kaldi_bridge.fsts.fst import Fst
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
        disambig: disambiguation symbols among the lexicon's phones.
    """

    def __init__(
        self,
        lexicon: Fst,
        tree: ContextDependency,
        model: TransitionModel,
        disambig: Sequence[int] = (),
        options: TrainingGraphOptions | None = None,
    ) -> None:
        for symbol in disambig:
            if symbol < 1 or symbol in model.phones:
                raise KaldiError(f"Disambiguation symbol {symbol} is also a phone, or none at all")
        self._lexicon = OpenFst.of(lexicon).arc_sorted("olabel")
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
        phones = self._lexicon.composed(OpenFst.of(grammar)).fst()
        if not phones.num_states:
            raise EntryError("no way to say the words: is one of them without a pronunciation?")
        graph, labels = context_graph(phones, self._tree, self._disambig)
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
