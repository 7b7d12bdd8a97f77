// Determinization of lattices without a beam: all word sequences stay, each with the cost and transition-ids of its best
// path. Kaldi's result to the last state and arc (fstext/determinize-lattice-inl.h); determinize.h has the one with a beam.

#pragma once

#include <cstdint>

#include "determinize.h"
#include "flat_lattice.h"

namespace kaldi_bridge {

// Limits that are not positive do not limit.
struct FullDeterminizeOptions {
  float delta = 1.0f / 1024;  // sets of states whose costs differ by no more make no different states
  int32_t max_memory = 0;     // bytes, roughly
  int32_t max_loop = 0;       // states that may be gone through without a word: more in a lattice that has no such result
};

// The lattice need not be sorted. Not complete, and without a lattice, where a limit was passed. From some states of the
// result there may be no way to the end.
Determinized determinize_fully(const FlatLattice &lattice, const FullDeterminizeOptions &options);

}  // namespace kaldi_bridge
