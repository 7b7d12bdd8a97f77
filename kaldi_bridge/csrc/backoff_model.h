// A backoff language model that is an acceptor on arrays (see arc_lists.h): a word that a state does not have is looked for
// where the state's arc without a label, which comes first, leads (BackoffDeterministicOnDemandFst).

#pragma once

#include <cstdint>

#include "fst_arc.h"
#include "language_model.h"

namespace kaldi_bridge {

// The arrays must outlive it; the arcs of each state are sorted by label.
class BackoffModel : public LanguageModel {
 public:
  BackoffModel(int32_t start, int32_t num_states, const float *finals, const int64_t *offsets, const FstArc *arcs)
      : start_(start), num_states_(num_states), finals_(finals), offsets_(offsets), arcs_(arcs) {}

  // Both throw std::invalid_argument where arcs without a label go round in a circle.
  int32_t start() const override { return start_; }
  float final(int32_t state) override { return final_after(state, 0); }
  bool follow(int32_t state, int32_t word, Step *step) override { return follow_after(state, word, step, 0); }

 private:
  const FstArc *backoff(int32_t state, int32_t steps) const;
  float final_after(int32_t state, int32_t steps) const;
  bool follow_after(int32_t state, int32_t word, Step *step, int32_t steps) const;

  const int32_t start_, num_states_;
  const float *finals_;
  const int64_t *offsets_;
  const FstArc *arcs_;
};

}  // namespace kaldi_bridge
