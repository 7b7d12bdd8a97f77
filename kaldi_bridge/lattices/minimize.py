"""Pushing and minimizing compact lattices (lat/push-lattice.h, lat/minimize-lattice.h), in C++ (csrc/flat_lattice.h).

Pushing moves transition-ids and costs as far towards the start as they go, so that states with the same future look the
same; minimizing then merges those. All lattices here must be free of cycles; KaldiError otherwise.
"""

from __future__ import annotations

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.extension import _csrc
from kaldi_bridge.lattices.lattice import CompactLattice, is_cyclic, top_sorted


def _sorted(lattice: CompactLattice) -> CompactLattice:
    if is_cyclic(lattice):
        raise KaldiError(
            "the lattice has a cycle (empty words in the lexicon, or epsilon cycles in the language model?)"
        )
    return top_sorted(lattice)


def push_strings(lattice: CompactLattice) -> CompactLattice:
    """Transition-ids that all ways on from a state begin with move to the arcs into it."""
    return CompactLattice(*_csrc.push_strings(_sorted(lattice).parts))


def push_weights(lattice: CompactLattice) -> CompactLattice:
    """Each state's best cost to the end moves to the arcs into it; what is left stays at the start state."""
    return CompactLattice(*_csrc.push_weights(_sorted(lattice).parts))


def minimize(lattice: CompactLattice, delta: float = 1.0 / 1024) -> CompactLattice:
    """Merges states whose arcs and final costs are the same to within ``delta``; push first."""
    return top_sorted(CompactLattice(*_csrc.minimize(_sorted(lattice).parts, delta)))
