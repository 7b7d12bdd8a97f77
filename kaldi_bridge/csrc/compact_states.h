// Compact lattices that change or grow state by state, where the arrays of flat_lattice.h would have to be made anew.

#pragma once

#include <cstdint>
#include <vector>

#include "flat_lattice.h"

namespace kaldi_bridge {

using Ids = std::vector<int32_t>;  // transition-ids

struct CompactStates {
  struct Arc {
    int32_t label;  // the word
    Weight weight;
    Ids ids;
    int32_t nextstate;
  };

  struct Final {
    Weight weight = {kNotFinal, kNotFinal};
    Ids ids;
  };

  int32_t start = -1;
  std::vector<std::vector<Arc>> arcs;
  std::vector<Final> finals;

  int32_t num_states() const { return static_cast<int32_t>(finals.size()); }
  int32_t add();
};

CompactStates states_of(const FlatCompactLattice &lattice);
FlatCompactLattice flat(const CompactStates &states);

// One final state, of no cost and without arcs, to which the final costs lead as arcs without a word
// (fstext/fstext-utils.h, CreateSuperFinal).
void make_super_final(CompactStates *states);

// Drops what is on no path from the start to an end; the others keep their order.
void connect(CompactStates *states);

// Without arcs that have no word, and connected; arcs and states in the order of OpenFst's RmEpsilon. There must be no
// cycle of arcs without words.
void remove_epsilons(CompactStates *states);

}  // namespace kaldi_bridge
