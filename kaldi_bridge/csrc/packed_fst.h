// A transducer whose arcs stand one after the other, state by state: what kaldi_bridge.fsts.fst.Fst holds.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "fst_arc.h"

namespace kaldi_bridge {

constexpr float kNoEnd = std::numeric_limits<float>::infinity();

// Arcs of state s: arcs[offsets[s]] to arcs[offsets[s + 1] - 1].
struct FstView {
  int32_t start;  // -1: no states
  int32_t num_states;
  const float *finals;
  const int64_t *offsets;
  const FstArc *arcs;

  const FstArc *begin(int32_t state) const { return arcs + offsets[state]; }
  const FstArc *end(int32_t state) const { return arcs + offsets[state + 1]; }
};

struct PackedFst {
  int32_t start = -1;
  std::vector<float> finals;
  std::vector<int64_t> offsets = {0};
  std::vector<FstArc> arcs;

  int32_t num_states() const { return static_cast<int32_t>(finals.size()); }
  FstView view() const { return {start, num_states(), finals.data(), offsets.data(), arcs.data()}; }

  // Ends the state whose arcs were added last.
  void end_state(float final_cost) {
    finals.push_back(final_cost);
    offsets.push_back(static_cast<int64_t>(arcs.size()));
  }

  // Keeps the states on a path from the start to an end, in their order.
  void connect();
};

// Which states are on a path from the start to an end.
std::vector<char> on_paths(const FstView &fst);

// The orders of OpenFst's ArcSort.
inline bool by_input(const FstArc &a, const FstArc &b) { return a.ilabel != b.ilabel ? a.ilabel < b.ilabel : a.olabel < b.olabel; }
inline bool by_output(const FstArc &a, const FstArc &b) { return a.olabel != b.olabel ? a.olabel < b.olabel : a.ilabel < b.ilabel; }

}  // namespace kaldi_bridge
