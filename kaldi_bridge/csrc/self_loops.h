// The self-loops of HMMs, put into a graph that has only their forward transitions (hmm/hmm-utils.cc, AddSelfLoops).

#pragma once

#include <cstdint>
#include <vector>

#include "packed_fst.h"

namespace kaldi_bridge {

// What is known of transition states, which are numbered from 1 on; 0 stands for none.
struct TransitionStates {
  std::vector<int32_t> of_label;      // by input label; of labels beyond: 0
  std::vector<int32_t> loop_labels;   // 0: without a self-loop
  std::vector<float> loop_costs;
  std::vector<float> leaving_costs;   // of not taking the self-loop
};

// `after`: each transition-id's loop is on the state that it leads to, states that arcs of several transition states enter
// being split first; else it is on the state that it leaves, and arcs of several transition states get states of their own.
PackedFst with_self_loops(const FstView &graph, const TransitionStates &states, bool after);

}  // namespace kaldi_bridge
