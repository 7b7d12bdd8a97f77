// A transducer that is made, and changed, arc by arc.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "fst_arc.h"
#include "fst_properties.h"

namespace kaldi_bridge {

constexpr float kInfiniteCost = std::numeric_limits<float>::infinity();

struct MutableFst {
  static constexpr int32_t kNoState = -1;

  int32_t start = kNoState;
  std::vector<float> finals;              // infinity: not final
  std::vector<std::vector<FstArc>> arcs;  // by state
  FstProperties properties;

  int32_t num_states() const { return static_cast<int32_t>(arcs.size()); }
  bool is_final(int32_t state) const { return finals[state] != kInfiniteCost; }

  int32_t add_state() {
    arcs.emplace_back();
    finals.push_back(kInfiniteCost);
    properties.state_added();
    return num_states() - 1;
  }

  void set_start(int32_t state) {
    start = state;
    properties.start_set();
  }

  void set_final(int32_t state, float cost) {
    properties.final_set(finals[state], cost);
    finals[state] = cost;
  }

  void add_arc(int32_t state, const FstArc &arc) {
    std::vector<FstArc> &out = arcs[state];
    properties.arc_added(state, arc, out.empty() ? nullptr : &out.back());
    out.push_back(arc);
  }

  // `arc`: one of this transducer's.
  void change_arc(FstArc &arc, const FstArc &changed) {
    properties.arc_changed(arc, changed);
    arc = changed;
  }

  // Keeps the states on a path from the start to an end, in their order. Arcs to kNoState go.
  void connect();

  // As OpenFst's ArcSort: arcs of the same labels in no particular order.
  void sort_arcs_by_input();
};

}  // namespace kaldi_bridge
