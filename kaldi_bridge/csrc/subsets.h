// Sets of input states with what their paths have beyond those put out so far: what both determinizations of lattices work
// with.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "label_strings.h"
#include "lattice.h"

namespace kaldi_bridge {

// The sizes of Kaldi's structures, by which --max-mem counts.
constexpr int64_t kBytesPerString = 32, kBytesPerArc = 32, kBytesPerElement = 24;

// An input state, and what its path has.
struct SubsetElement {
  int32_t state, string;
  Cost cost;
};
using Subset = std::vector<SubsetElement>;  // sorted by state, each once

// The table of subsets leaves the costs out of the hash, so that what differs by less than delta is found. Which of several
// such subsets is found is the one that std::unordered_map comes to first, in Kaldi and here.
struct SubsetHash {
  size_t operator()(const Subset *subset) const {
    size_t hash = 0;
    for (const SubsetElement &e : *subset)
      hash = (hash ^ (static_cast<uint64_t>(static_cast<uint32_t>(e.state)) << 32 | static_cast<uint32_t>(e.string))) *
             0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
  }
};
struct SubsetEqual {
  float delta;
  bool operator()(const Subset *a, const Subset *b) const {
    return std::equal(a->begin(), a->end(), b->begin(), b->end(), [&](const SubsetElement &x, const SubsetElement &y) {
      return x.state == y.state && x.string == y.string && about_equal(x.cost, y.cost, delta);
    });
  }
};

// Whether a path is better than that of `other`: it costs less, or as much and its string comes first.
inline bool improves(const LabelStrings &strings, const Cost &cost, int32_t string, const SubsetElement &other) {
  const int order = compare(cost, other.cost);
  return order != 0 ? order > 0 : strings.compare(string, other.string) > 0;
}

// What is found: arcs of words, with numbers of strings.
struct ResultArc {
  int32_t word, string, next;
  Cost cost;
};
struct ResultState {
  Subset minimal;
  bool is_final = false;
  int32_t final_string = 0;
  Cost final = kNoCost;
  std::vector<ResultArc> arcs;
};

// `State`: ResultState, or made of it.
template <class State>
CompactLattice compact_lattice(const std::vector<std::unique_ptr<State>> &states, const LabelStrings &strings) {
  CompactLattice result(states.size());
  for (size_t s = 0; s < states.size(); s++) {
    const ResultState &state = *states[s];
    if (state.is_final) {
      result[s].final = state.final;
      result[s].final_tids = strings.to_vector(state.final_string);
    }
    result[s].arcs.reserve(state.arcs.size());
    for (const ResultArc &arc : state.arcs)
      result[s].arcs.push_back({arc.word, arc.cost, strings.to_vector(arc.string), arc.next});
  }
  return result;
}

// Takes the best cost and the common prefix out of all elements, of which there must be one.
inline void normalize(LabelStrings *strings, Subset *subset, Cost *cost, int32_t *prefix) {
  *cost = (*subset)[0].cost;
  for (const SubsetElement &element : *subset)
    if (better(element.cost, *cost)) *cost = element.cost;
  for (SubsetElement &element : *subset) element.cost = element.cost - *cost;
  *prefix = strings->take_common_prefix(subset);
}

}  // namespace kaldi_bridge
