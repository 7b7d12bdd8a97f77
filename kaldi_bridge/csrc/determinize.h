// Determinization of lattices: one path per word sequence, with the cost and transition-ids of its best path, as long as it
// is within a beam of the best path of all.
//
// Weighted subset construction over words. A state of the result is a set of elements (input state, cost, transition-ids),
// what the element has beyond what the arcs up to here have already put out. The arcs out of a result state are explored
// best first: the priority of (result state, word) is the cost of the best path through it, so that the work stops where the
// beam ends, and a result state is first reached by its best path. After Kaldi's lat/determinize-lattice-pruned.h.
//
// Doing this first with phones as words besides the words, then with the words alone, gives the same and is faster.

#pragma once

#include <cstdint>
#include <vector>

#include "lattice.h"

namespace kaldi_bridge {

struct DeterminizeOptions {
  double beam = 10.0;
  double delta = 1.0 / 1024;       // costs that differ by less make no different states
  int64_t max_memory = 50000000;   // bytes, roughly; reached, what is worse than found so far is left out
  bool phones_first = true;
  bool words = true;
  double retry_cutoff = 0.5;       // with less than this part of the beam done, the lattice is pruned and done again
};

struct Determinized {
  CompactLattice lattice;  // in topological order
  bool complete = true;    // false: the memory was not enough for the whole beam
};

// `phone_of` is indexed by transition-id: the phone that begins with it, or 0; only for `phones_first`.
// The lattice must have no cycle: throws std::invalid_argument.
Determinized determinize(Lattice lattice, const std::vector<int32_t> &phone_of, const DeterminizeOptions &options);

}  // namespace kaldi_bridge
