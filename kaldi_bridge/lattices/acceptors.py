"""Lattices as weighted acceptors of transition-ids, as OpenFst changes them (csrc/lattice_acceptors.h).

Words do not count here, and of several ways with the same transition-ids the best one stays.
"""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.fsts import properties
from kaldi_bridge.fsts.fst_header import EXPANDED, MUTABLE
from kaldi_bridge.lattices.lattice import Lattice, is_cyclic


def _acyclic(lattice: Lattice) -> Lattice:
    if is_cyclic(lattice):
        raise KaldiError("the lattice has a cycle")
    return lattice


def without_epsilons(lattice: Lattice) -> Lattice:
    """Without epsilons, and without states that are on no path. Raises KaldiError for a cycle."""
    return Lattice(*_csrc.lattice_without_epsilons(_acyclic(lattice).parts))


def determinized(lattice: Lattice) -> Lattice:
    """At most one arc with each label, epsilon among them, leaves a state. Raises KaldiError for a cycle."""
    return Lattice(*_csrc.lattice_determinized_acceptor(_acyclic(lattice).parts))


def minimized(lattice: Lattice) -> Lattice:
    """Deterministic, with as few states as can be: determinized from its end, then from its start.

    Raises KaldiError for a cycle.
    """
    return Lattice(*_csrc.lattice_minimized_acceptor(_acyclic(lattice).parts))


def tested_properties(lattice: Lattice) -> int:
    """What OpenFst finds where it asks whether the states of a sorted lattice are sorted (fst/test-properties.h)."""
    arcs, sources, finals = lattice.arcs, lattice.sources, lattice.finals[lattice.is_final]
    inputs, outputs, same_state = arcs["ilabel"], arcs["olabel"], np.diff(sources) == 0
    is_string = bool((arcs["nextstate"] == sources + 1).all() and (np.diff(lattice.offsets)[:-1] == 1).all())
    is_string = is_string and bool(lattice.is_final[-1]) and not lattice.is_final[:-1].any()
    is_weighted = arcs["graph"].any() or arcs["acoustic"].any() or finals.any()
    known = EXPANDED | MUTABLE | properties.TOP_SORTED
    for holds, yes, no in (
        ((inputs == outputs).all(), properties.ACCEPTOR, properties.NOT_ACCEPTOR),
        (((inputs == 0) & (outputs == 0)).any(), properties.EPSILONS, properties.NO_EPSILONS),
        ((inputs == 0).any(), properties.INPUT_EPSILONS, properties.NO_INPUT_EPSILONS),
        ((outputs == 0).any(), properties.OUTPUT_EPSILONS, properties.NO_OUTPUT_EPSILONS),
        (not (same_state & (np.diff(inputs) < 0)).any(), properties.INPUT_SORTED, properties.NOT_INPUT_SORTED),
        (not (same_state & (np.diff(outputs) < 0)).any(), properties.OUTPUT_SORTED, properties.NOT_OUTPUT_SORTED),
        (is_weighted, properties.WEIGHTED, properties.UNWEIGHTED),
        (is_string, properties.STRING, properties.NOT_STRING),
    ):
        known |= yes if holds else no
    return known
