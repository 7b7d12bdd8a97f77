"""Weights of the normalization FST in supervisions (chain/chain-supervision.cc, AddWeightToSupervisionFst)."""

from __future__ import annotations

from dataclasses import replace

from kaldi_bridge import log
from kaldi_bridge.acceptors import INFINITY, Acceptor, without_epsilons
from kaldi_bridge.acyclic_acceptors import compose, determinized, minimized
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fst import Fst, read_fst
from kaldi_bridge.supervision import Supervision

MOST_STATES = 200000


def read_normalization_fst(rxfilename: str, scale: float) -> Acceptor:
    """normalization.fst with its costs scaled. Raises KaldiError where it cannot be read, or the scale is negative."""
    if scale < 0.0:
        raise KaldiError("Invalid scale on normalization FST; must be >= 0.0")
    graph = Acceptor.from_fst(read_fst(rxfilename))
    if scale != 1.0:
        graph.arcs = [[(label, cost * scale, t) for label, cost, t in arcs] for arcs in graph.arcs]
        graph.finals = [cost * scale if cost < INFINITY else cost for cost in graph.finals]
    return graph


def normalized(supervision: Supervision, normalization: Acceptor) -> Supervision | None:
    """The supervision with costs of the normalization; None where they have no path in common.

    Raises KaldiError for one that is merged already.
    """
    if supervision.num_sequences != 1:
        raise KaldiError("the supervision is of several sequences: normalize examples before they are merged")
    if supervision.fst is None:
        fst = _with_costs(supervision.e2e_fsts[0], normalization)
        return None if fst is None else replace(supervision, e2e_fsts=[fst])
    try:
        graph = minimized(determinized(without_epsilons(Acceptor.from_fst(supervision.fst)), MOST_STATES))
        graph = compose(graph, normalization)
        if not graph.num_states:
            return None
        graph = minimized(determinized(graph, MOST_STATES))
    except KaldiError as error:
        log.warning(f"Failed to determinize a supervision: {error}")
        return None
    return replace(supervision, fst=graph.to_fst())


def _with_costs(fst: Fst, normalization: Acceptor) -> Fst | None:
    graph = compose(without_epsilons(Acceptor.from_fst(fst)), normalization)
    return graph.to_fst() if graph.num_states else None
