// Lattices as the search and the determinization have them (lattice.h), from and to lattices on arrays (flat_lattice.h).

#pragma once

#include "flat_lattice.h"
#include "lattice.h"

namespace kaldi_bridge {

FlatLattice flat(const Lattice &lattice);
FlatCompactLattice flat(const CompactLattice &lattice);

// State 0 of the result is the start state.
Lattice nested(const FlatLattice &flat);
CompactLattice nested(const FlatCompactLattice &flat);

}  // namespace kaldi_bridge
