"""Lattices with the acoustic costs of another model (lat/lattice-functions.cc, RescoreCompactLattice)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.gmm.acoustic_model import AcousticModel
from kaldi_bridge.gmm.gaussian_posteriors import pdf_log_likelihoods
from kaldi_bridge.lattices.costs import scale
from kaldi_bridge.lattices.lattice import CompactLattice, is_cyclic, sorted_if_needed


def rescored(
    model: AcousticModel, lattice: CompactLattice, feats: np.ndarray, old_scale: float = 0.0
) -> CompactLattice:
    """Acoustic costs from features [frames, dim], plus the old ones times ``old_scale``.

    Raises EntryError for an empty or cyclic lattice, or too few frames; KaldiError for transition-ids or features of
    another model.
    """
    if not lattice.num_states:
        raise EntryError("Rescoring empty lattice")
    if is_cyclic(lattice):
        raise EntryError("Cycles detected in lattice.")
    lattice = sorted_if_needed(lattice)
    ids = model.transitions.checked(lattice.strings)
    lengths = lattice.string_lengths
    frames = np.repeat(string_times(lattice) - lattice.string_offsets[:-1], lengths) + np.arange(len(ids))
    if len(frames) and frames.max() >= len(feats):
        raise EntryError(f"Features are too short for lattice: {len(feats)} frames, the lattice has {frames.max() + 1}")
    pdfs, num_pdfs = model.transitions.id_to_pdf[ids], model.mixtures.num_pdfs
    pairs, place = np.unique(frames * num_pdfs + pdfs, return_inverse=True)
    costs = -pdf_log_likelihoods(model.mixtures, feats, pairs // num_pdfs, pairs % num_pdfs).astype(np.float64)
    of_string = np.bincount(np.repeat(np.arange(len(lengths)), lengths), costs[place], len(lengths))
    old = lattice if old_scale == 1.0 else scale(lattice, acoustic=old_scale)
    arcs, finals = old.arcs.copy(), old.finals.copy()
    arcs["acoustic"] += of_string[: lattice.num_arcs].astype(np.float32)
    final = lattice.is_final
    finals[final, 1] += of_string[lattice.num_arcs :][final].astype(np.float32)
    return CompactLattice(lattice.start, lattice.offsets, arcs, finals, lattice.string_offsets, lattice.strings)


def string_times(lattice: CompactLattice) -> np.ndarray:
    """int64 [arcs + states], the frame at which the string of each arc and final cost begins.

    The lattice must be sorted topologically. Raises KaldiError when two ways to a state have different lengths, or no
    way leads to one.
    """
    lengths = lattice.string_lengths[: lattice.num_arcs].astype(np.float64)
    shortest, longest = lattice.graph.costs_from_start(lengths), -lattice.graph.costs_from_start(-lengths)
    if not (np.isfinite(shortest).all() and np.array_equal(shortest, longest)):
        raise KaldiError("a lattice in which a state cannot be reached, or at different times")
    states = shortest.astype(np.int64)
    return np.concatenate([states[lattice.sources], states])
