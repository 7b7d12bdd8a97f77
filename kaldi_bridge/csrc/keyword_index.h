// The index of a lattice: where which words may have been said (kws/kws-functions.cc; D. Can, M. Saraclar, "Lattice indexing
// for spoken term detection", 2011).
//
// A path of the index reads the words of a path through a part of the lattice, which has no silence at its ends nor a long
// one inside. Its last arc has the utterance as output; its weight is the cost of all ways of these words between about
// these times, with the first beginning and the last end. Words that overlap in time are one: they are in the same cluster.

#pragma once

#include <string>
#include <vector>

#include "flat_lattice.h"
#include "index_optimization.h"

namespace kaldi_bridge {

struct LatticeIndex {
  KeywordIndex index;
  std::vector<std::string> warnings;
};

// Throws std::invalid_argument for a lattice whose ways to a state have different lengths, or that has no end; it must be in
// topological order from state 0 on.
LatticeIndex index_of(const FlatCompactLattice &lattice, int32_t utterance, int32_t max_silence_frames,
                      const OptimizationOptions &options);

}  // namespace kaldi_bridge
