// Composition of lattices as OpenFst does it: its states, arcs and their order (fst/compose.h, fst/compose-filter.h).
//
// A state of the result is a state of each lattice, and whether arcs of the second without input label may not be taken any
// more: OpenFst's "sequence" filter, by which a path goes alone through the first lattice where its arcs have no output
// label before it goes alone through the second. The arcs of one of the two are looked up by their label, those of the
// other taken one by one: where both are sorted, in each state those that are fewer are taken.

#pragma once

#include <cstdint>
#include <vector>

#include "flat_lattice.h"

namespace kaldi_bridge {

// What an arc of the second lattice does when no other arc has the label that is looked for.
enum class Fallback {
  kNone,
  kPhi,  // it leads, without taking the label, to a state where that is looked for in turn
  kRho,  // it takes any label; on the output side, too, if the second lattice is an acceptor
};

class Composer {
 public:
  // `label` is that of the arcs of kPhi or kRho. Throws std::invalid_argument where these need arcs sorted by input label.
  Composer(FlatLattice second, Fallback fallback, int32_t label);

  // The composition of `first` and the second lattice; some of its states may not lead to the end. Throws
  // std::invalid_argument where neither is sorted, and where fallbacks cannot be followed.
  FlatLattice compose(const FlatLattice &first) const;

 private:
  FlatLattice second_;
  Fallback fallback_;
  int32_t label_;
  bool sorted_, acceptor_;
};

// For each state in turn the numbers of its arcs, by a first and a second label, in the order of OpenFst's ArcSort, which is
// not stable: std::sort.
std::vector<int64_t> sorted_arcs(const std::vector<int64_t> &offsets, const int32_t *first, const int32_t *second);

}  // namespace kaldi_bridge
