// Acceptors of supervisions: OpenFst's compact form, and one after the other (chain/chain-supervision.cc).

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "packed_fst.h"

namespace kaldi_bridge {

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
CompactFst compact(const FstView &fst);

// What OpenFst's headers say about a transducer (fst/properties.h): of each property whether it holds or not.
uint64_t properties(const FstView &fst);

// All acceptors one after the other, without epsilons: an acceptor's final cost is added to the first arcs of the
// next one. States that can be reached, breadth first; each state's arcs in reverse, which is OpenFst's order.
// No acceptor may have an arc into its start state; throws std::invalid_argument where a start state is final.
PackedFst concatenate(const std::vector<FstView> &fsts);

}  // namespace kaldi_bridge
