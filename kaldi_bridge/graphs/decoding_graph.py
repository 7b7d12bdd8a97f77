"""HCLG: from transition-ids to words, composed of HMMs, phonetic context, lexicon and grammar.

The steps and their order are those of utils/mkgraph.sh (https://kaldi-asr.org/doc/graph_recipe_test.html).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.epsilon_removal import remove_epsilons_local
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fstext import composed, context_composed, encoded_minimized, star_determinized
from kaldi_bridge.fsts.labels import without_arcs
from kaldi_bridge.fsts.rational import arc_sorted
from kaldi_bridge.graphs.h_transducer import Hmms, h_transducer
from kaldi_bridge.graphs.nonterminals import Nonterminals, left_biphone_composed
from kaldi_bridge.graphs.self_loops import add_self_loops
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.hmm.tree import ContextDependency

_STATES_AT_ONCE = 1 << 16


def context_graph(
    graph: Fst,
    tree: ContextDependency,
    disambig: list[int],
    nonterminals: Nonterminals | None = None,
    end_symbol: int = 0,
) -> tuple[Fst, list[list[int]]]:
    """CLG of LG, sorted by input label, and the phone windows of its labels.

    ``nonterminals``: those of a grammar of several graphs; ``end_symbol``: as for ``context_composed``. Raises
    KaldiError where the tree is not for such.
    """
    if nonterminals is not None:
        if (tree.width, tree.central) != (2, 1):
            raise KaldiError("grammars of several graphs need models with left-biphone context")
        return left_biphone_composed(graph, disambig, nonterminals.offset)
    made, labels = context_composed(graph, disambig, tree.width, tree.central, end_symbol)
    return arc_sorted(made), labels


def hmm_graph(
    graph: Fst,
    labels: list[list[int]],
    tree: ContextDependency,
    model: TransitionModel,
    transition_scale: float = 1.0,
    self_loop_scale: float = 0.1,
    hmms: Hmms | None = None,
    nonterminals: Nonterminals | None = None,
    remove_epsilons: Callable[[Fst], Fst] = remove_epsilons_local,
    reorder: bool = True,
) -> tuple[Fst, list[int]]:
    """HCLG of CLG and its labels, and the disambiguation symbols that it had among its transition-ids.

    Args:
        hmms: those of the tree, model and scale, where many graphs are made with them.
        remove_epsilons: before minimization, some or all of them.
        reorder: self-loops come after the transitions into their states.
    """
    h, disambig = h_transducer(labels, hmms or Hmms(tree, model, transition_scale), nonterminals)
    made = composed(arc_sorted(h, "olabel"), graph)
    made = star_determinized(made)
    made = remove_epsilons(without_input_labels(made, disambig))
    minimal = encoded_minimized(made)
    if not minimal.num_states:
        raise KaldiError("the decoding graph is empty: do lang directory, tree and model belong together?")
    return add_self_loops(minimal, model, self_loop_scale, reorder=reorder), disambig


def without_input_labels(fst: Fst, labels: Iterable[int]) -> Fst:
    """With epsilon in the place of these labels."""
    arcs = fst.arcs.copy()
    arcs["ilabel"][np.isin(arcs["ilabel"], list(labels))] = 0
    return Fst(fst.start, fst.finals, fst.offsets, arcs)


def without_words(fst: Fst, words: Iterable[int]) -> Fst:
    """Only paths without these output labels."""
    return without_arcs(fst, words, "olabel")


def log_stochasticity(name: str, fst: Fst) -> None:
    """Says how far the probabilities out of the states are from summing to one (fstisstochastic)."""
    if not fst.num_states:
        return
    lowest, highest = math.inf, 0.0
    for begin in range(0, fst.num_states, _STATES_AT_ONCE):
        end = min(begin + _STATES_AT_ONCE, fst.num_states)
        own = slice(fst.offsets[begin], fst.offsets[end])
        sources = np.repeat(np.arange(end - begin), np.diff(fst.offsets[begin : end + 1]))
        sums = np.exp(-fst.finals[begin:end].astype(np.float64))
        sums += np.bincount(sources, np.exp(-fst.arcs["weight"][own].astype(np.float64)), end - begin)
        lowest, highest = min(lowest, sums.min()), max(highest, sums.max())
    least, most = -math.log(highest), -math.log(max(lowest, 1e-300))
    log.info(f"{name}: {fst.num_states} states, {fst.num_arcs} arcs; costs out of a state sum to {least:g} to {most:g}")
