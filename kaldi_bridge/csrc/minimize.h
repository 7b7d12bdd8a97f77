// Pushing and minimizing compact lattices (Kaldi's lat/push-lattice.cc, lat/minimize-lattice.cc).
//
// Pushing moves transition-ids and costs as far towards the start as they go, so that states with the same future look the
// same; minimizing then merges those. Lattices are sorted topologically where they are not; std::invalid_argument is thrown
// for one with a cycle.

#pragma once

#include "lattice.h"

namespace kaldi_bridge {

// Transition-ids that all ways on from a state begin with move to the arcs into it; not beyond the start state.
void push_strings(CompactLattice *lattice);

// Each state's best cost to the end moves to the arcs into it; what is left stays at the start state.
void push_costs(CompactLattice *lattice);

// Merges states whose arcs and final costs are the same to within 1/1024; push first.
void minimize(CompactLattice *lattice);

}  // namespace kaldi_bridge
