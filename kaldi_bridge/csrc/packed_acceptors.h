// Weighted acceptors over the tropical semiring: what kaldi_bridge/fsts/packed_acceptors.py offers.
//
// Epsilon is the label 0; an infinite final cost is none. Where several paths are one, the best counts.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kaldi_bridge {

struct AcceptorArc {
  int32_t label;
  double cost;
  int32_t next;
};

struct Acceptor {
  int32_t start = -1;
  std::vector<std::vector<AcceptorArc>> arcs;  // by state
  std::vector<double> finals;

  int32_t num_states() const { return static_cast<int32_t>(arcs.size()); }
};

// Only states on a path from the start to an end, in the order that they have.
Acceptor connected(const Acceptor &a);

// The same paths without label 0; arcs alike are one. Throws std::runtime_error for a cycle of epsilons that gains.
Acceptor without_epsilons(const Acceptor &a);

// What both accept, costs added; neither may have epsilons.
Acceptor composed(const Acceptor &a, const Acceptor &b);

// No state with two arcs of the same label. Throws std::runtime_error when it would have more than `most_states`.
Acceptor determinized(const Acceptor &a, std::size_t most_states);

// The smallest one of the same costs, pushed to the start, states breadth first; `a` must be deterministic.
// Throws std::runtime_error where there is a cycle.
Acceptor minimized(const Acceptor &a);

// Costs moved towards the start so that every state's best way on costs nothing; the best path then costs nothing.
// Throws std::runtime_error where there is a cycle.
Acceptor pushed_to_start(const Acceptor &a);

// The number of arcs from the start to each state. Throws std::runtime_error where paths to a state or to the end differ
// in that, the end is not after `length`, or states are not in the order of time.
std::vector<int32_t> state_times(const Acceptor &a, int32_t length);

// The paths between times `first` and `end`, from a new start state with epsilons to all states of time `first`.
Acceptor part_in_time(const Acceptor &a, const std::vector<int32_t> &times, int32_t first, int32_t end);

}  // namespace kaldi_bridge
