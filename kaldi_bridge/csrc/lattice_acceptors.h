// Lattices as weighted acceptors of transition-ids (the words do not count), in the semiring where of several ways the best
// one counts (fstext/lattice-weight.h, LatticeWeightTpl). States, arcs and costs come out as OpenFst's algorithms number and
// round them, to the last bit (fst/rmepsilon.h, fst/determinize.h). Lattices must have no cycle.

#pragma once

#include "flat_lattice.h"

namespace kaldi_bridge {

// Each state gets what can be reached from it through epsilons; states that cannot be reached, or from which no end can be, go.
FlatLattice without_epsilons(const FlatLattice &lattice);

// At most one arc with each label, epsilon among them, leaves a state; of equal label sequences the best stays.
FlatLattice determinized_acceptor(const FlatLattice &lattice);

// All paths from their ends to the start (fst/reverse.h): a new start state 0 leads to what were the ends.
FlatLattice reversed(const FlatLattice &lattice);

// Deterministic, with as few states as can be: determinized from its end, then from its start.
FlatLattice minimized_acceptor(const FlatLattice &lattice);

}  // namespace kaldi_bridge
