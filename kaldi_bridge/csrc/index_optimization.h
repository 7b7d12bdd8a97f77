// Making indices of keywords smaller (kws/kws-functions2.cc, fst/push.h, fst/minimize.h), with the states and arcs of Kaldi's
// programs in the same order.

#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "packed_fst.h"
#include "timed_weight.h"

namespace kaldi_bridge {

using KeywordIndex = PackedWeightedFst<TimedWeight>;
using IndexArc = WeightedArc<TimedWeight>;
using IndexView = WeightedFstView<TimedWeight>;

constexpr float kIndexDelta = 1.0f / 1024.0f;  // OpenFst's kDelta

// Numbers from 1 on for pairs of labels, in the order in which they are met.
class PairedLabels {
 public:
  // The number in the place of both labels of each arc.
  void encode(KeywordIndex *fst);
  void decode(KeywordIndex *fst) const;
  int32_t number(int32_t ilabel, int32_t olabel);
  std::pair<int32_t, int32_t> pair(int32_t number) const { return pairs_[number - 1]; }

 private:
  std::vector<std::pair<int32_t, int32_t>> pairs_;
  std::unordered_map<uint64_t, int32_t> numbers_;
};

// Weights go as far towards the start as they can; then equivalent states become one. Throws std::invalid_argument for an
// FST with a cycle.
KeywordIndex minimized(KeywordIndex &&fst);

struct OptimizationOptions {
  int64_t max_states;  // of determinization; 0 or less: any number
  bool allow_partial;  // what was made of them counts, else it is not determinized
};

// Determinized, with pairs of labels as one, and minimized. `warning`: why it was not determinized, or not whole.
KeywordIndex optimized(KeywordIndex &&index, const OptimizationOptions &options, std::string *warning);

// What any of them has, not optimized (fst/union.h). `from_first_start`: ways to the others begin at the start of the first
// one, to which none of its arcs leads; else at a new one, which comes after the states of the second.
KeywordIndex united(std::vector<IndexView> indices, bool from_first_start);

}  // namespace kaldi_bridge
