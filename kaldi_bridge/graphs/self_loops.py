"""Adding the HMMs' self-loops to a graph that has only forward transitions (hmm/hmm-utils.cc, AddSelfLoops)."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
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
    scale = np.float32(scale)
    loop_ids = np.zeros(model.num_transition_states + 1, np.int32)  # of each transition state, 0 for none
    loop_ids[model.id_to_state[model.is_self_loop]] = np.flatnonzero(model.is_self_loop)
    start, finals, offsets, arcs = _csrc.add_self_loops(
        (graph.start, graph.finals, graph.offsets, graph.arcs),
        model.id_to_state,
        loop_ids,
        -model.log_probs[loop_ids] * scale,
        -model.non_self_loop_log_probs * scale,
        reorder,
    )
    return graph.changed(start=start, finals=finals, offsets=offsets, arcs=arcs.view(ARC))


def _check(labels: np.ndarray, model: TransitionModel, disambig: Collection[int]) -> None:
    others = set(labels[(labels > model.num_transition_ids) & (labels < FIRST_LABEL)].tolist()) - set(disambig)
    if others:
        raise KaldiError(
            f"the graph has a label {max(others)}, but the model only {model.num_transition_ids} transition-ids"
        )
    if model.is_self_loop[labels[labels <= model.num_transition_ids]].any():
        raise KaldiError("the graph already has self-loops")
