"""Making den.fst of a phone language model, and normalization.fst of that (chain/chain-den-graph.cc)."""

from __future__ import annotations

import math

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.fsts.acceptors import Acceptor, minimized, pushed, reversed_acceptor, without_epsilons
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.hmm.tree import ContextDependency
from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.chain.phone_graph import PhoneGraph

_PUSH_DELTA = 0.01 / 1024
_MINIMIZE_DELTA = 10.0 / 1024
_PASSES = 3


def denominator_fst(tree: ContextDependency, model: TransitionModel, phone_lm: Fst) -> Fst:
    """An acceptor of pdf-id + 1, without epsilons, made small, the states with most arcs first."""
    graph = PhoneGraph(tree, model).expand(Acceptor.from_fst(phone_lm))
    graph = without_epsilons(_of_pdfs(graph, model))
    _tell("after removing epsilons", graph)
    for number in range(1, _PASSES + 1):
        backwards = minimized(pushed(reversed_acceptor(graph), _PUSH_DELTA), _MINIMIZE_DELTA)
        graph = reversed_acceptor(backwards)
        _tell(f"after reversed minimization (pass {number})", graph)
        graph = minimized(pushed(graph, _PUSH_DELTA), _MINIMIZE_DELTA)
        _tell(f"after regular minimization (pass {number})", graph)
    graph = pushed(without_epsilons(graph), _PUSH_DELTA)
    graph = _by_number_of_arcs(graph)
    _tell("in the denominator FST", graph)
    unseen = set(range(1, model.num_pdfs + 1)) - {label for arcs in graph.arcs for label, _, _ in arcs}
    for label in sorted(unseen):
        log.warning(f"Pdf-id {label - 1} is not seen in denominator graph.")
    return graph.to_fst()


def normalization_fst(den_fst: Fst, num_pdfs: int) -> Fst:
    """The acceptor as it applies to chunks: it starts with the states' average occupation and ends anywhere."""
    initial = DenominatorGraph.from_fst(den_fst, num_pdfs).initial
    graph = Acceptor.from_fst(den_fst)
    start = graph.num_states
    graph.arcs.append([(0, -math.log(p), s) for s, p in enumerate(initial.astype(np.float64).tolist())])
    made = without_epsilons(Acceptor(start, graph.arcs, [0.0] * start + [math.inf]))
    for arcs in made.arcs:
        arcs.sort(key=lambda arc: arc[0])
    return made.to_fst()


def _of_pdfs(graph: Acceptor, model: TransitionModel) -> Acceptor:
    pdf = (model.id_to_pdf + 1).tolist()
    arcs = [[(pdf[label] if label else 0, cost, t) for label, cost, t in out] for out in graph.arcs]
    return Acceptor(graph.start, arcs, graph.finals)


def _by_number_of_arcs(graph: Acceptor) -> Acceptor:
    degree = [len(arcs) for arcs in graph.arcs]
    for arcs in graph.arcs:
        for _, _, target in arcs:
            degree[target] += 1
    return graph.renumbered(sorted(range(graph.num_states), key=lambda s: (-degree[s], s)))


def _tell(what: str, graph: Acceptor) -> None:
    log.info(f"Number of states and arcs {what} is {graph.num_states} and {graph.num_arcs}")
