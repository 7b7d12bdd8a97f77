"""Costs of transitions on the arcs of a graph that was made without them (hmm/hmm-utils.cc, AddTransitionProbs)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.hmm.transition_model import TransitionModel


def transition_costs(model: TransitionModel, transition_scale: float, self_loop_scale: float) -> np.ndarray:
    """float32 [ids + 1] by transition-id.

    ``self_loop_scale`` is that of staying in a state or leaving it, ``transition_scale`` that of where one goes then.
    """
    if transition_scale == self_loop_scale:
        return np.where(
            np.arange(len(model.log_probs)) == 0, 0.0, -model.log_probs * np.float32(self_loop_scale)
        ).astype(np.float32)
    leaving = model.non_self_loop_log_probs[model.id_to_state]
    going = np.float32(self_loop_scale) * leaving + np.float32(transition_scale) * (model.log_probs - leaving)
    costs = -np.where(model.is_self_loop, np.float32(self_loop_scale) * model.log_probs, going)
    costs[0] = 0.0
    return costs.astype(np.float32)


def with_costs(graph: Fst, costs: np.ndarray) -> Fst:
    """The graph with the cost of its transition-id added to each arc. Raises KaldiError for other labels."""
    labels = graph.arcs["ilabel"]
    if graph.num_arcs and labels.max() >= len(costs):
        raise KaldiError(f"the graph has a label {labels.max()}, the model only {len(costs) - 1} transition-ids")
    arcs = graph.arcs.copy()
    arcs["weight"] += costs[labels]
    return Fst(graph.start, graph.finals, graph.offsets, arcs)
