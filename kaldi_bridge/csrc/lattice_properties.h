// What OpenFst's headers say about a lattice whose properties were looked for, not kept (see fst_properties.h).

#pragma once

#include <cstdint>

#include "flat_lattice.h"

namespace kaldi_bridge {

// What OpenFst finds where it asks whether the states of a sorted lattice are sorted (fst/test-properties.h).
uint64_t tested_properties(const FlatLattice &lattice);

}  // namespace kaldi_bridge
