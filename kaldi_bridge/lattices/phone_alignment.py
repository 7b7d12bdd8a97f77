"""Lattices whose arcs are phones (lat/phone-align-lattice.cc), in C++ (csrc/lattice_alignment.h)."""

from __future__ import annotations

from kaldi_bridge.extension import _csrc
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.lattices.lattice import CompactLattice
from kaldi_bridge.lattices.word_alignment import Aligned, native_aligned, transitions_of


class PhoneAligner:
    """Makes each arc a whole phone."""

    def __init__(
        self,
        model: TransitionModel,
        reorder: bool = True,
        replace_output_symbols: bool = False,
        remove_epsilon: bool = True,
    ) -> None:
        """
        Args:
            reorder: a phone's last self-loops come after the transition that leaves it, as in Kaldi's graphs.
            replace_output_symbols: phones become the labels, in place of the words.
            remove_epsilon: no arcs without a label, so that an arc may have several phones where labels are words.
        """
        self._model, self._native = model, transitions_of(model)
        self._arguments = reorder, replace_output_symbols, remove_epsilon

    def align(self, lattice: CompactLattice) -> Aligned:
        """Raises KaldiError for a lattice with a cycle or with transition-ids that the model has not."""
        return native_aligned(_csrc.align_phones, self._model, lattice, self._native, *self._arguments)
