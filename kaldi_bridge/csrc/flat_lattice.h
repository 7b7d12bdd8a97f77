// Lattices on arrays, as kaldi_bridge/lattices/lattice.py has them (see arc_lists.h): conversion between the two kinds.
// Costs are added in float32, one after the other, as Kaldi adds them.

#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "arc_lists.h"

namespace kaldi_bridge {

struct Weight {
  float graph, acoustic;  // infinite, as a final weight: the state is not final
};

constexpr float kNotFinal = std::numeric_limits<float>::infinity();

inline bool is_final(const Weight &weight) { return weight.graph < kNotFinal && weight.acoustic < kNotFinal; }

// The better of two costs has the smaller sum, and of equal sums the smaller graph part.
inline bool better(const Weight &a, const Weight &b) {
  const float x = a.graph + a.acoustic, y = b.graph + b.acoustic;
  return x != y ? x < y : a.graph < b.graph;
}

struct FlatArc {
  int32_t ilabel, olabel;  // transition-id and word; 0: none
  float graph, acoustic;
  int32_t nextstate;
};

struct FlatCompactArc {
  int32_t label;  // the word
  float graph, acoustic;
  int32_t nextstate;
};

template <class A>
struct FlatStates {
  int32_t start = -1;
  std::vector<int64_t> offsets;  // [states + 1]; the arcs of state s are those from offsets[s] to offsets[s + 1]
  std::vector<A> arcs;
  std::vector<Weight> finals;  // [states]

  int32_t num_states() const { return static_cast<int32_t>(finals.size()); }
};

template <class A>
struct ArcRange {
  const A *first, *last;

  const A *begin() const { return first; }
  const A *end() const { return last; }
  bool empty() const { return first == last; }
};

template <class A>
ArcRange<A> arcs_of(const FlatStates<A> &lattice, int32_t state) {
  return {lattice.arcs.data() + lattice.offsets[state], lattice.arcs.data() + lattice.offsets[state + 1]};
}

using FlatLattice = FlatStates<FlatArc>;

// Transition-ids: those of arc i are string i, those of the final weight of state s are string (number of arcs + s).
struct FlatCompactLattice : FlatStates<FlatCompactArc> {
  std::vector<int64_t> string_offsets;  // [arcs + states + 1]
  std::vector<int32_t> strings;
};

// A matrix that new costs are made by: graph cost g * graph + acoustic_to_graph * acoustic, acoustic cost alike.
struct CostChange {
  double graph = 1.0, acoustic_to_graph = 0.0, graph_to_acoustic = 0.0, acoustic = 1.0;

  bool is_none() const { return graph == 1.0 && acoustic_to_graph == 0.0 && graph_to_acoustic == 0.0 && acoustic == 1.0; }
  // What cannot happen, of infinite graph cost, stays so (ScaleTupleWeight).
  Weight of(const Weight &w) const {
    if (w.graph == kNotFinal) return {kNotFinal, kNotFinal};
    const double g = w.graph, a = w.acoustic;
    return {static_cast<float>(graph * g + acoustic_to_graph * a), static_cast<float>(graph_to_acoustic * g + acoustic * a)};
  }
};

template <class A>
void change_costs(const CostChange &change, FlatStates<A> *lattice) {
  if (change.is_none()) return;
  for (A &arc : lattice->arcs) {
    const Weight made = change.of({arc.graph, arc.acoustic});
    arc.graph = made.graph;
    arc.acoustic = made.acoustic;
  }
  for (Weight &weight : lattice->finals)
    if (is_final(weight)) weight = change.of(weight);
}

// Each arc with several transition-ids becomes a chain of arcs (fstext/lattice-utils.h, ConvertLattice).
FlatLattice to_lattice(const FlatCompactLattice &lattice);

// Chains without words inside become single arcs (fstext/factor.h); nothing is determinized. States are numbered as the
// search from the start finds them.
FlatCompactLattice to_compact(const FlatLattice &lattice);

}  // namespace kaldi_bridge
