"""Changing the costs of lattices: scales, word penalties, pruning."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

import numpy as np

from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lattices.lattice import (
    CompactLattice,
    Lattice,
    connected,
    filtered,
    is_cyclic,
    sorted_if_needed,
    top_sorted,
)
from kaldi_bridge.lattices.state_times import state_times

L = TypeVar("L", Lattice, CompactLattice)


def _with_arcs(lattice: L, arcs: np.ndarray) -> L:
    """The same paths, their arcs with other costs."""
    start, offsets, _, *rest = lattice.parts
    return type(lattice)(start, offsets, arcs, *rest)


def scale(
    lattice: L,
    acoustic: float = 1.0,
    graph: float = 1.0,
    acoustic_to_graph: float = 0.0,
    graph_to_acoustic: float = 0.0,
) -> L:
    """New graph cost: graph * g + acoustic_to_graph * a; new acoustic cost: graph_to_acoustic * g + acoustic * a.

    What cannot happen, of infinite graph cost, stays so (ScaleTupleWeight).
    """
    scales = graph, acoustic_to_graph, graph_to_acoustic, acoustic
    if scales == (1.0, 0.0, 0.0, 1.0):
        return lattice
    if isinstance(lattice, Lattice):
        return Lattice(*_csrc.scaled_lattice(lattice.parts, *scales))
    return CompactLattice(*_csrc.scaled_compact_lattice(lattice.parts, *scales))


def add_word_penalty(lattice: CompactLattice, penalty: float) -> CompactLattice:
    """Adds the penalty to the graph cost of each arc with a word."""
    arcs = lattice.arcs.copy()
    arcs["graph"][arcs["label"] != 0] += np.float32(penalty)
    return _with_arcs(lattice, arcs)


def add_transition_costs(lattice: Lattice, costs: np.ndarray) -> Lattice:
    """Adds to the graph cost of each arc that of its transition-id, ``costs`` [ids + 1] (hmm/hmm-utils.cc).

    Raises KaldiError for transition-ids beyond those.
    """
    ids = lattice.arcs["ilabel"]
    if lattice.num_arcs and ids.max() >= len(costs):
        raise KaldiError(f"{ids.max()} is no transition-id of the model, which has {len(costs) - 1}")
    arcs = lattice.arcs.copy()
    arcs["graph"] += costs[ids]
    return _with_arcs(lattice, arcs)


def boost_errors(
    lattice: Lattice,
    model: TransitionModel,
    alignment: np.ndarray,
    silence: Collection[int],
    boost: float,
    silence_error: float,
) -> Lattice:
    """Arcs of other phones than the alignment's are ``boost`` cheaper, silence ``silence_error`` of it (LatticeBoost).

    Args:
        alignment: transition-ids [frames].
        silence: the phones of silence.

    Raises EntryError where the lattice has another length, KaldiError for what is no transition-id of the model.
    """
    lattice = sorted_if_needed(lattice)
    times, frames = state_times(lattice)
    if frames != len(alignment):
        raise EntryError(f"the lattice has {frames} frames, and the alignment {len(alignment)}")
    arcs = lattice.arcs.copy()
    spoken = np.flatnonzero(arcs["ilabel"])
    phones = model.id_to_phone[model.checked(arcs["ilabel"][spoken])]
    when = times[lattice.sources[spoken]]
    if len(when) and not 0 <= when.min() <= when.max() < frames:
        raise EntryError("the lattice has arcs beyond its end, or out of reach")
    errors = np.where(np.isin(phones, list(silence)), np.float32(silence_error), np.float32(1.0))
    errors[phones == model.id_to_phone[model.checked(alignment)[when]]] = 0.0
    arcs["graph"][spoken] -= np.float32(boost) * errors
    return _with_arcs(lattice, arcs)


def prune(lattice: L, beam: float) -> L:
    """Keeps arcs and final costs on paths within ``beam`` of the best one.

    Raises EntryError for a lattice with a cycle, KaldiError for none but a positive beam.
    """
    if not beam > 0:
        raise KaldiError(f"the beam {beam:g} must be greater than zero")
    if is_cyclic(lattice):
        raise EntryError("Cycles detected in lattice")
    lattice = top_sorted(lattice)
    if not lattice.num_states:
        return lattice
    graph, costs, finals = lattice.graph, lattice.arc_costs, lattice.final_costs
    forward, backward = graph.costs_from_start(costs), graph.costs_to_end(costs, finals)
    cutoff = backward[lattice.start] + beam
    through = forward[lattice.sources] + costs + backward[lattice.arcs["nextstate"]]
    return connected(filtered(lattice, through <= cutoff, forward + finals <= cutoff))
