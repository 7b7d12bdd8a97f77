"""Adding the HMMs' self-loops to a graph that has only forward transitions (hmm/hmm-utils.cc, AddSelfLoops)."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import ARC
from kaldi_bridge.graphs.nonterminals import FIRST_LABEL
from kaldi_bridge.hmm.transition_model import TransitionModel


def add_self_loops(
    graph: Fst, model: TransitionModel, scale: float = 1.0, disambig: Collection[int] = (), reorder: bool = True
) -> Fst:
    """Each transition-id's self-loop on the state that it leads to ("reordered": the loop comes after the transition).

    States that arcs of different transition states enter are split first. Final costs and arcs out of a state with a
    self-loop get the cost of leaving it; ``scale`` is that of these log-probabilities. Without ``reorder`` the loops
    come before the transitions, on the states that these leave.

    Raises:
        KaldiError: the graph is empty, has self-loops already, or labels that are no transition-ids, none of
            ``disambig`` and no nonterminals.
    """
    if graph.start < 0:
        raise KaldiError("the graph is empty: there is nothing to add self-loops to")
    _check(graph.arcs["ilabel"], model, disambig)
    if not reorder:
        return _loops_before(graph, model, scale)
    graph = _split_states(graph, model)
    entered_by = np.zeros(graph.num_states, np.int32)  # transition state of the arcs into each state, 0 for none
    entered_by[graph.arcs["nextstate"]] = _states_of(graph.arcs["ilabel"], model)
    leaving = -model.non_self_loop_log_probs * np.float32(scale)
    arcs = graph.arcs.copy()
    arcs["weight"] += leaving[entered_by][graph.sources]
    finals = (graph.finals + leaving[entered_by]).astype(np.float32)
    return _with_loops(graph.changed(finals=finals, arcs=arcs), model, scale, entered_by)


def _loops_before(graph: Fst, model: TransitionModel, scale: float) -> Fst:
    graph = _split_arcs(graph, model)
    left_by = np.zeros(graph.num_states, np.int32)  # transition state of the arcs out of each state, 0 for none
    left_by[graph.sources] = _states_of(graph.arcs["ilabel"], model)
    leaving = -model.non_self_loop_log_probs * np.float32(scale)
    arcs = graph.arcs.copy()
    arcs["weight"] += leaving[left_by][graph.sources]
    return _with_loops(graph.changed(arcs=arcs), model, scale, left_by)


def _with_loops(graph: Fst, model: TransitionModel, scale: float, transition_state: np.ndarray) -> Fst:
    """With the self-loop of the transition state that each state has, if any, as its last arc."""
    loop_ids = np.zeros(model.num_transition_states + 1, np.int32)  # of each transition state, 0 for none
    loop_ids[model.id_to_state[model.is_self_loop]] = np.flatnonzero(model.is_self_loop)
    looping = np.flatnonzero(loop_ids[transition_state])
    loops = np.zeros(len(looping), ARC)
    loops["ilabel"] = loop_ids[transition_state[looping]]
    loops["weight"] = -model.log_probs[loops["ilabel"]] * np.float32(scale)
    loops["nextstate"] = looping
    return graph.changed(
        offsets=graph.offsets + np.concatenate([[0], np.cumsum(loop_ids[transition_state] > 0)]),
        arcs=np.insert(graph.arcs, graph.offsets[looping + 1], loops),
    )


def _check(labels: np.ndarray, model: TransitionModel, disambig: Collection[int]) -> None:
    others = labels[(labels > model.num_transition_ids) & (labels < FIRST_LABEL)]
    others = others[~np.isin(others, list(disambig))]
    if len(others):
        raise KaldiError(
            f"the graph has a label {others.max()}, but the model only {model.num_transition_ids} transition-ids"
        )
    if model.is_self_loop[labels[labels <= model.num_transition_ids]].any():
        raise KaldiError("the graph already has self-loops")


def _states_of(labels: np.ndarray, model: TransitionModel) -> np.ndarray:
    """The transition state of each label, 0 of those that are no transition-ids."""
    return model.id_to_state[np.where(labels <= model.num_transition_ids, labels, 0)]


def _split_arcs(graph: Fst, model: TransitionModel) -> Fst:
    """So that all arcs out of a state have the same transition state, or none (MakeFollowingInputSymbolsSameClass).

    From a state with several, and a final one with any, each arc with a label goes through a new state of its own.
    """
    kinds, sources = _states_of(graph.arcs["ilabel"], model), graph.sources
    least = np.full(graph.num_states, np.iinfo(np.int32).max, np.int32)
    most = np.full(graph.num_states, -1, np.int32)
    np.minimum.at(least, sources, kinds)
    np.maximum.at(most, sources, kinds)
    bad = (least < most) | ((most > 0) & np.isfinite(graph.finals))
    moved = np.flatnonzero(bad[sources] & (graph.arcs["ilabel"] != 0))
    if not len(moved):
        return graph
    onward = graph.arcs[moved].copy()
    onward["olabel"], onward["weight"] = 0, 0.0
    arcs = graph.arcs.copy()
    arcs["ilabel"][moved] = 0
    arcs["nextstate"][moved] = graph.num_states + np.arange(len(moved))
    return _with_states(graph.changed(arcs=arcs), onward)


def _with_states(graph: Fst, arcs: np.ndarray) -> Fst:
    """With a new state for each of these arcs, which leaves it."""
    return graph.changed(
        finals=np.concatenate([graph.finals, np.full(len(arcs), np.inf, np.float32)]),
        offsets=np.concatenate([graph.offsets, graph.offsets[-1] + np.arange(1, len(arcs) + 1)]),
        arcs=np.concatenate([graph.arcs, arcs]),
    )


def _split_states(graph: Fst, model: TransitionModel) -> Fst:
    """So that all arcs into a state have the same transition state, or none (MakePrecedingInputSymbolsSameClass).

    Into a state with several, arcs of each transition state go through a new state with an epsilon to it.
    """
    kinds, target = _states_of(graph.arcs["ilabel"], model), graph.arcs["nextstate"]
    states = graph.num_states
    least, most = np.full(states, np.iinfo(np.int32).max, np.int32), np.full(states, -1, np.int32)
    least[graph.start] = most[graph.start] = 0
    np.minimum.at(least, target, kinds)
    np.maximum.at(most, target, kinds)
    moved = np.flatnonzero((least < most)[target] & (graph.arcs["ilabel"] != 0))
    if not len(moved):
        return graph
    keys = target[moved].astype(np.int64) * (model.num_transition_states + 1) + kinds[moved]
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))  # new states are numbered as they are first needed
    arcs = graph.arcs.copy()
    arcs["nextstate"][moved] = states + rank[which]
    epsilons = np.zeros(len(first), ARC)
    epsilons["nextstate"] = target[moved[np.sort(first)]]
    return _with_states(graph.changed(arcs=arcs), epsilons)
