"""Phones in the place of words or of transition-ids (ConvertLatticeToPhones, lat/lattice-functions.cc)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lattices.lattice import CompactLattice, Lattice, to_compact, to_lattice


def phones_for_words(model: TransitionModel, lattice: CompactLattice) -> CompactLattice:
    """Each phone where it begins. Raises KaldiError for transition-ids beyond the model."""
    model.checked(lattice.strings)
    plain = to_lattice(lattice)
    arcs = plain.arcs.copy()
    arcs["olabel"] = model.phone_starts[arcs["ilabel"]]
    return to_compact(Lattice(plain.start, plain.offsets, arcs, plain.finals))


def phones_for_ids(model: TransitionModel, lattice: CompactLattice) -> CompactLattice:
    """Strings of phones, one for each final transition. Raises KaldiError for transition-ids beyond the model."""
    ids = model.checked(lattice.strings)
    final = model.is_final[ids]
    offsets = np.concatenate([[0], np.cumsum(final)])[lattice.string_offsets]
    phones = model.id_to_phone[ids[final]].astype(np.int32)
    return CompactLattice(lattice.start, lattice.offsets, lattice.arcs, lattice.finals, offsets, phones)
