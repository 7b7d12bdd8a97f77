// What becomes of a search: the best path, and a lattice, determinized or not.

#pragma once

#include <vector>

#include "determinize.h"
#include "flat_lattice.h"
#include "phone_determinize.h"
#include "search.h"

namespace kaldi_bridge {

struct OutcomeOptions {
  bool determinizes = true;
  PhoneDeterminizeOptions determinization;
  std::vector<int32_t> phone_of;  // see phone_determinize.h
  double acoustic = 1.0;          // times the acoustic costs of the lattice
};

struct Outcome {
  BestPath best;
  bool reached_final = false, complete = true;
  FlatCompactLattice compact;  // where it was determinized
  FlatLattice plain;           // where not
  std::vector<Message> messages;
};

// Of a lattice that is not empty.
Outcome outcome_of(const SearchResult &result, const OutcomeOptions &options);

}  // namespace kaldi_bridge
