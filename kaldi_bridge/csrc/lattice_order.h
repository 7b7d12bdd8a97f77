// States of lattices in another order, and what searches through them need (arc_lists.h).

#pragma once

#include <cstdint>
#include <vector>

#include "arc_lists.h"
#include "flat_lattice.h"

namespace kaldi_bridge {

// With the state s as number numbers[s].
FlatLattice renumbered(const FlatLattice &lattice, const std::vector<int32_t> &numbers);

// The same with states in topological order, as OpenFst's TopSort numbers them. It must have no cycle.
FlatLattice top_sorted(FlatLattice &&lattice);

// Costs [arcs] and final costs [states] as numbers, graph and acoustic costs added; infinite: not final.
std::vector<double> arc_costs(const FlatLattice &lattice);
std::vector<double> final_costs(const FlatLattice &lattice);

// The state that each arc leads to.
std::vector<int32_t> next_states(const FlatLattice &lattice);

// `next`: its next_states(), which must live as long.
inline ArcLists arc_lists(const FlatLattice &lattice, const std::vector<int32_t> &next) {
  return {lattice.start, lattice.num_states(), lattice.offsets.data(), next.data()};
}

}  // namespace kaldi_bridge
