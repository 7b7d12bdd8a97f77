// A transducer whose arcs stand one after the other, state by state: what kaldi_bridge.fsts.fst.Fst holds.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "fst_arc.h"

namespace kaldi_bridge {

constexpr float kNoEnd = std::numeric_limits<float>::infinity();

// The final weight of a state that is no end.
template <class Weight>
constexpr Weight no_end();
template <>
constexpr float no_end<float>() {
  return kNoEnd;
}
inline bool is_no_end(float final_cost) { return final_cost == kNoEnd; }

// Arcs of state s: arcs[offsets[s]] to arcs[offsets[s + 1] - 1].
template <class Weight>
struct WeightedFstView {
  using Arc = WeightedArc<Weight>;

  int32_t start;  // -1: no states
  int32_t num_states;
  const Weight *finals;
  const int64_t *offsets;
  const Arc *arcs;

  const Arc *begin(int32_t state) const { return arcs + offsets[state]; }
  const Arc *end(int32_t state) const { return arcs + offsets[state + 1]; }
};

template <class Weight>
struct PackedWeightedFst {
  int32_t start = -1;
  std::vector<Weight> finals;
  std::vector<int64_t> offsets = {0};
  std::vector<WeightedArc<Weight>> arcs;

  int32_t num_states() const { return static_cast<int32_t>(finals.size()); }
  WeightedFstView<Weight> view() const { return {start, num_states(), finals.data(), offsets.data(), arcs.data()}; }

  // Ends the state whose arcs were added last.
  void end_state(const Weight &final_weight) {
    finals.push_back(final_weight);
    offsets.push_back(static_cast<int64_t>(arcs.size()));
  }

  // Keeps the states on a path from the start to an end, in their order.
  void connect();
};

using FstView = WeightedFstView<float>;
using PackedFst = PackedWeightedFst<float>;

// Which states are on a path from the start to an end. Of weights that are a float or a TimedWeight.
template <class Weight>
std::vector<char> on_paths(const WeightedFstView<Weight> &fst);

// The orders of OpenFst's ArcSort.
template <class Arc>
bool by_input(const Arc &a, const Arc &b) {
  return a.ilabel != b.ilabel ? a.ilabel < b.ilabel : a.olabel < b.olabel;
}
inline bool by_output(const FstArc &a, const FstArc &b) { return a.olabel != b.olabel ? a.olabel < b.olabel : a.ilabel < b.ilabel; }

}  // namespace kaldi_bridge
