// Determinization that removes epsilons on the way, and puts output labels of several arcs on a chain of arcs, with the
// states and arcs of Kaldi's fstdeterminizestar in the same order (fstext/determinize-star.h).

#pragma once

#include "packed_fst.h"

namespace kaldi_bridge {

struct StarOptions {
  bool in_log;         // costs of paths that become one are added as probabilities, else the best one counts
  float delta;         // costs that differ by less are the same
  int64_t max_states;  // 0 or less: any number
};

// Orders the arcs of each state by input label, as `arcs` [offsets[num_states]] belong to the FST.
// Throws std::runtime_error where the FST is not functional, or more than max_states are made.
PackedFst star_determinized(int32_t start, int32_t num_states, const float *finals, const int64_t *offsets, FstArc *arcs,
                            const StarOptions &options);

}  // namespace kaldi_bridge
