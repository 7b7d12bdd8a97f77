// Which of a state's arcs have a label, for a transducer that is composed.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "packed_fst.h"

namespace kaldi_bridge {

// Of labels that are not negative, in whose order each state has its arcs; the FST outlives this.
// Where a state's arcs with a label begin: by a table for states that have an arc for many of the labels, else by search.
template <class Weight>
class LabelIndex {
 public:
  using Arc = WeightedArc<Weight>;

  LabelIndex(const WeightedFstView<Weight> &fst, int32_t Arc::*label) : fst_(fst), label_(label), tables_(fst.num_states, kUnknown) {}

  const WeightedFstView<Weight> &fst() const { return fst_; }

  // The first such arc, or, without any, one of another label or the end.
  const Arc *find(int32_t state, int32_t label) {
    if (tables_[state] == kUnknown) tables_[state] = make(state);
    if (tables_[state] == kNone)
      return std::lower_bound(fst_.begin(state), fst_.end(state), label,
                              [this](const Arc &arc, int32_t wanted) { return arc.*label_ < wanted; });
    const std::vector<int32_t> &table = made_[tables_[state]];
    if (static_cast<size_t>(label) >= table.size() || table[label] < 0) return fst_.end(state);
    return fst_.begin(state) + table[label];
  }

 private:
  static constexpr int32_t kUnknown = -2, kNone = -1;
  static constexpr int64_t kLeastArcs = 16, kMostPlacesPerArc = 4;

  int32_t make(int32_t state) {
    const int64_t count = fst_.end(state) - fst_.begin(state);
    if (count < kLeastArcs || fst_.end(state)[-1].*label_ >= kMostPlacesPerArc * count) return kNone;
    std::vector<int32_t> table(fst_.end(state)[-1].*label_ + 1, -1);
    for (int64_t i = count; i-- > 0;) table[fst_.begin(state)[i].*label_] = static_cast<int32_t>(i);
    made_.push_back(std::move(table));
    return static_cast<int32_t>(made_.size()) - 1;
  }

  const WeightedFstView<Weight> fst_;
  int32_t Arc::*const label_;
  std::vector<int32_t> tables_;  // by state: a number in made_, or one of the above
  std::vector<std::vector<int32_t>> made_;
};

}  // namespace kaldi_bridge
