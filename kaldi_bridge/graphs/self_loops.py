"""Adding the HMMs' self-loops to a graph that has only forward transitions (hmm/hmm-utils.cc, AddSelfLoops)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import ARC, Fst
from kaldi_bridge.hmm.transition_model import TransitionModel


def add_self_loops(graph: Fst, model: TransitionModel, scale: float = 1.0) -> Fst:
    """Each transition-id's self-loop on the state that it leads to ("reordered": the loop comes after the transition).

    States that arcs of different transition states enter are split first. Final costs and arcs out of a state with a
    self-loop get the cost of leaving it; ``scale`` is that of these log-probabilities.

    Raises:
        KaldiError: the graph has self-loops already, or labels that are no transition-ids.
    """
    labels = graph.arcs["ilabel"]
    if graph.num_arcs and labels.max() > model.num_transition_ids:
        raise KaldiError(
            f"the graph has a label {labels.max()}, but the model only {model.num_transition_ids} transition-ids"
        )
    if model.is_self_loop[labels].any():
        raise KaldiError("the graph already has self-loops")
    graph = _split_states(graph, model)
    entered_by = np.zeros(graph.num_states, np.int32)  # transition state of the arcs into each state, 0 for none
    entered_by[graph.arcs["nextstate"]] = model.id_to_state[graph.arcs["ilabel"]]
    leaving = -model.non_self_loop_log_probs * np.float32(scale)
    arcs = graph.arcs.copy()
    arcs["weight"] += leaving[entered_by][graph.sources]
    finals = graph.finals + leaving[entered_by]

    loop_ids = np.zeros(model.num_transition_states + 1, np.int32)  # of each transition state, 0 for none
    loop_ids[model.id_to_state[model.is_self_loop]] = np.flatnonzero(model.is_self_loop)
    looping = np.flatnonzero(loop_ids[entered_by])
    loops = np.zeros(len(looping), ARC)
    loops["ilabel"] = loop_ids[entered_by[looping]]
    loops["weight"] = -model.log_probs[loops["ilabel"]] * np.float32(scale)
    loops["nextstate"] = looping
    return Fst(
        graph.start,
        finals.astype(np.float32),
        graph.offsets + np.concatenate([[0], np.cumsum(loop_ids[entered_by] > 0)]),
        np.insert(arcs, graph.offsets[looping + 1], loops),
    )


def _split_states(graph: Fst, model: TransitionModel) -> Fst:
    """So that all arcs into a state have the same transition state, or none (MakePrecedingInputSymbolsSameClass).

    Into a state with several, arcs of each transition state go through a new state with an epsilon to it.
    """
    kinds, target = model.id_to_state[graph.arcs["ilabel"]], graph.arcs["nextstate"]
    states = graph.num_states
    least, most = np.full(states, np.iinfo(np.int32).max, np.int32), np.full(states, -1, np.int32)
    least[graph.start] = most[graph.start] = 0
    np.minimum.at(least, target, kinds)
    np.maximum.at(most, target, kinds)
    moved = np.flatnonzero((least < most)[target] & (kinds != 0))
    if not len(moved):
        return graph
    keys = target[moved].astype(np.int64) * (model.num_transition_states + 1) + kinds[moved]
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))  # new states are numbered as they are first needed
    arcs = graph.arcs.copy()
    arcs["nextstate"][moved] = states + rank[which]
    epsilons = np.zeros(len(first), ARC)
    epsilons["nextstate"] = target[moved[np.sort(first)]]
    return Fst(
        graph.start,
        np.concatenate([graph.finals, np.full(len(first), np.inf, np.float32)]),
        np.concatenate([graph.offsets, graph.offsets[-1] + np.arange(1, len(first) + 1)]),
        np.concatenate([arcs, epsilons]),
    )
