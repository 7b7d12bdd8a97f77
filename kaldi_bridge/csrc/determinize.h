// Determinization of lattices: one path per word sequence, with the cost and transition-ids of its best path, as long as it
// is within a beam of the best path of all.
//
// Weighted subset construction over words. A state of the result is a set of elements (input state, cost, transition-ids),
// what the element has beyond what the arcs up to here have already put out. The arcs out of a result state are explored
// best first: the priority of (result state, word) is the cost of the best path through it, so that the work stops where the
// beam ends or a limit is reached, and a result state is first reached by its best path.
//
// The result is Kaldi's (lat/determinize-lattice-pruned.cc) to the last state and arc: costs are in single precision, ties
// are decided alike, and the limits count the same things: memory by the sizes that Kaldi's structures have, looked at
// whenever the number of result states is a multiple of ten.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lattice.h"

namespace kaldi_bridge {

// Limits that are not positive do not limit.
struct DeterminizeOptions {
  double beam = 10.0;
  float delta = 1.0f / 1024;       // sets of states whose costs differ by no more make no different states
  int32_t max_memory = 50000000;   // bytes, roughly; reached, what is worse than found so far is left out
  int32_t max_loop = 0;            // states without words that one result state may lead through: an error beyond
  int32_t max_states = 0;
  int32_t max_arcs = 0;
  float retry_cutoff = 0.5f;       // with less than this part of the beam done, the lattice is pruned and done again
  bool warn_of_retries = false;    // say so in a warning (as Kaldi's pass over phones does), not in a log line
};

// What there is to say about a run, in the order in which it happened.
struct Message {
  enum Kind { kWarning = -1, kLog = 0 };  // or the level of --verbose from which on it is shown
  int kind;
  std::string text;
};

struct Determinized {
  CompactLattice lattice;
  bool complete = true;       // false: a limit was reached before the end of the beam
  int64_t states_before = 0;  // of the lattice whose words were determinized
  std::vector<Message> messages;
};

// The lattice must be in topological order. From some states of the result there may be no way to the end: see connect().
// Throws std::invalid_argument for options that make no sense, and where max_loop is passed.
Determinized determinize(const Lattice &lattice, const DeterminizeOptions &options);

}  // namespace kaldi_bridge
