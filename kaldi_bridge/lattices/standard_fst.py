"""Lattices as ordinary FSTs, and FSTs as lattices (fstext/lattice-utils.h, ConvertLattice)."""

from __future__ import annotations

import numpy as np

from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.fsts.fst_bodies import ARC
from kaldi_bridge.lattices.lattice import LATTICE_ARC, NOT_FINAL, Lattice


def standard_fst(lattice: Lattice) -> Fst:
    """Each arc and final state with one cost, the sum of its two; transition-ids are input, words output labels."""
    arcs = np.zeros(lattice.num_arcs, ARC)
    for name in ("ilabel", "olabel", "nextstate"):
        arcs[name] = lattice.arcs[name]
    arcs["weight"] = lattice.arcs["graph"] + lattice.arcs["acoustic"]
    finals = np.where(lattice.is_final, lattice.finals[:, 0] + lattice.finals[:, 1], NOT_FINAL)
    return Fst(lattice.start, finals.astype(np.float32), lattice.offsets, arcs)


def graph_lattice(fst: Fst) -> Lattice:
    """The costs become graph costs (StdToLatticeMapper)."""
    arcs = np.zeros(fst.num_arcs, LATTICE_ARC)
    for name, values in (("ilabel", "ilabel"), ("olabel", "olabel"), ("graph", "weight"), ("nextstate", "nextstate")):
        arcs[name] = fst.arcs[values]
    arcs["acoustic"][np.isinf(arcs["graph"])] = np.inf
    finals = np.stack([fst.finals, np.where(np.isinf(fst.finals), NOT_FINAL, np.float32(0.0))], axis=1)
    return Lattice(fst.start, fst.offsets, arcs, finals.astype(np.float32))
