// The cheapest paths of a transducer, as a tree that grows from the end (fst/shortest-path.h).
//
// The search goes backwards from the ends; what it still has to go costs what the best way from the start costs, so that
// it comes by complete paths in the order of their costs. To find no string twice, it goes through the deterministic
// acceptor of what is reversed, which unfolds as far as the search gets.

#pragma once

#include <cstdint>
#include <limits>

#include "mutable_fst.h"
#include "packed_fst.h"

namespace kaldi_bridge {

struct ShortestPathsOptions {
  int32_t count = 1;
  bool unique = false;                             // of paths with the same labels, only the best; for acceptors
  float delta = 1e-6f;                             // what differs by less is the same
  float most = std::numeric_limits<float>::infinity();  // how much more a path may cost than the best one
  int32_t states = -1;                             // the search ends when it has made so many; -1: when it has all paths
};

// Throws std::invalid_argument for a cycle of negative cost, and for a transducer where paths are to be unique.
MutableFst shortest_paths(const FstView &fst, const ShortestPathsOptions &options);

}  // namespace kaldi_bridge
