// Acceptors of supervisions: OpenFst's compact form, and one after the other (chain/chain-supervision.cc).

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fst_arc.h"

namespace kaldi_bridge {

// The arrays of a kaldi_bridge.fsts.fst.Fst, not owned: state s has the arcs offsets[s] to offsets[s + 1] - 1.
struct FstArrays {
  int32_t start, states;
  const float *finals;
  const int64_t *offsets;
  const FstArc *arcs;
};

// The same, owned; the start state is 0.
struct NewFst {
  std::vector<float> finals;
  std::vector<int64_t> offsets{0};
  std::vector<FstArc> arcs;
};

// Of a compact acceptor: a state's final cost (label and next state -1), then its arcs.
struct Element {
  int32_t label;
  float weight;
  int32_t nextstate;
};

// Of each state where its elements begin, then their number; and the elements.
struct CompactFst {
  std::vector<uint32_t> positions;
  std::vector<Element> elements;
};

// Throws std::invalid_argument where input and output labels differ.
CompactFst compact(const FstArrays &fst);

// What OpenFst's headers say about a transducer (fst/properties.h): of each property whether it holds or not.
uint64_t properties(const FstArrays &fst);

// All acceptors one after the other, without epsilons: an acceptor's final cost is added to the first arcs of the
// next one. States that can be reached, breadth first; each state's arcs in reverse, which is OpenFst's order.
// No acceptor may have an arc into its start state; throws std::invalid_argument where a start state is final.
NewFst concatenate(const std::vector<FstArrays> &fsts);

}  // namespace kaldi_bridge
