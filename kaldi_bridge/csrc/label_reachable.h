// Which labels can come first on a path out of each state of a transducer, as OpenFst's files for look-ahead have it
// (fst/label-reachable.h).
//
// Labels get new numbers, from 1 on, such that those which a state reaches are few intervals: the order in which a search
// from the start comes by them, depth first. A label after which nothing else comes first stands for "the end can be
// reached without another label". Strongly connected components of arcs without label reach the same.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "packed_fst.h"

namespace kaldi_bridge {

struct Interval {
  int32_t begin, end;  // the labels from begin to end - 1
};

struct ReachableLabels {
  static constexpr int32_t kNoLabel = -1;

  bool of_input;
  int32_t final_label = kNoLabel;   // stands for the end
  std::vector<int64_t> offsets{0};  // state s reaches the intervals offsets[s] to offsets[s + 1] - 1, which are in order
  std::vector<Interval> intervals;

  int32_t num_states() const { return static_cast<int32_t>(offsets.size()) - 1; }
  const Interval *begin(int32_t state) const { return intervals.data() + offsets[state]; }
  const Interval *end(int32_t state) const { return intervals.data() + offsets[state + 1]; }
  bool reaches(int32_t state, int32_t label) const;
};

using LabelPairs = std::vector<std::pair<int32_t, int32_t>>;  // an old label and its new one

// `pairs`: of all labels, in the order in which OpenFst writes them.
ReachableLabels reachable_labels(const FstView &fst, bool of_input, LabelPairs *pairs);

// The same where the labels keep their numbers: those of a state may be many intervals.
ReachableLabels reachable_kept_labels(const FstView &fst, bool of_input);

// What follows the const FST in a file of type olabel_lookahead or ilabel_lookahead.
std::string add_on(const ReachableLabels &labels);

// The same read. Throws std::invalid_argument where it makes no sense, or is not for so many states.
ReachableLabels read_add_on(std::string_view bytes, int32_t states);

}  // namespace kaldi_bridge
