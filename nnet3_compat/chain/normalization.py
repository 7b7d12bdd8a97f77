"""Weights of the normalization FST in supervisions (chain/chain-supervision.cc, AddWeightToSupervisionFst)."""

from __future__ import annotations

from dataclasses import replace

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.fsts.fst import read_fst
from kaldi_bridge.fsts.packed_acceptors import PackedAcceptor

MOST_STATES = 200000


def read_normalization_fst(rxfilename: str, scale: float) -> PackedAcceptor:
    """normalization.fst with its costs scaled. Raises KaldiError where it cannot be read, or the scale is negative."""
    if scale < 0.0:
        raise KaldiError("Invalid scale on normalization FST; must be >= 0.0")
    fst = read_fst(rxfilename)
    if scale != 1.0:
        fst.arcs["weight"] *= scale
        fst.finals[fst.finals < float("inf")] *= scale
    return PackedAcceptor.of_fst(fst)


def normalized(supervision: Supervision, normalization: PackedAcceptor) -> Supervision | None:
    """The supervision with costs of the normalization; None where they have no path in common.

    Raises KaldiError for one that is merged already.
    """
    if supervision.num_sequences != 1:
        raise KaldiError("the supervision is of several sequences: normalize examples before they are merged")
    if supervision.fst is None:
        graph = PackedAcceptor.of_fst(supervision.e2e_fsts[0]).without_epsilons().composed(normalization)
        return replace(supervision, e2e_fsts=[graph.to_fst()]) if graph.num_states else None
    made = normalized_graph(PackedAcceptor.of_fst(supervision.fst), normalization)
    return replace(supervision, fst=made.to_fst()) if made else None


def normalized_graph(graph: PackedAcceptor, normalization: PackedAcceptor) -> PackedAcceptor | None:
    """The same for the acceptor of a supervision that is not flat-start."""
    try:
        graph = graph.without_epsilons().determinized(MOST_STATES).minimized().composed(normalization)
        return graph.determinized(MOST_STATES).minimized() if graph.num_states else None
    except KaldiError as error:
        log.warning(f"Failed to determinize a supervision: {error}")
        return None
