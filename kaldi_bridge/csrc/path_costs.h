// What a given sequence of transition-ids and words costs in a lattice.

#pragma once

#include <cstdint>
#include <vector>

#include "flat_lattice.h"

namespace kaldi_bridge {

// The cost of the cheapest path with these transition-ids and words; infinite where there is none. The states must be in
// topological order.
double cheapest_cost(const FlatLattice &lattice, const std::vector<int32_t> &ids, const std::vector<int32_t> &words);

}  // namespace kaldi_bridge
