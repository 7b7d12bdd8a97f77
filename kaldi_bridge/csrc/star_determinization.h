// Determinization that removes epsilons on the way, and puts output labels of several arcs on a chain of arcs, with the
// states and arcs of Kaldi's fstdeterminizestar in the same order (fstext/determinize-star.h).

#pragma once

#include "packed_fst.h"
#include "semirings.h"

namespace kaldi_bridge {

struct StarOptions {
  float delta;                 // weights that differ by less are the same
  int64_t max_states;          // 0 or less: any number
  bool sorted;                 // each state's arcs are in the order of their input labels
  bool allow_partial = false;  // with more than max_states, those that were reached and not gone on from lead nowhere
};

// Of a Semiring of semirings.h. `is_partial`: whether it ended at max_states, where that is allowed.
// Throws std::runtime_error where the FST is not functional, or more than max_states are made.
template <class Semiring>
PackedWeightedFst<typename Semiring::Weight> star_determinized(const WeightedFstView<typename Semiring::Weight> &fst,
                                                               const Semiring &semiring, const StarOptions &options,
                                                               bool *is_partial = nullptr);

// Orders the arcs of each state by input label, as `arcs` [offsets[num_states]] belong to the FST.
void sort_for_determinization(int32_t num_states, const int64_t *offsets, FstArc *arcs, bool in_log);

}  // namespace kaldi_bridge
