// Graphs on arrays, as Python has FSTs and lattices: the arcs of all states one after the other.
//
// The arcs of state s are those from offsets[s] to offsets[s + 1]; `next` is the state that each leads to. What else an arc
// has (labels, costs, strings) is in arrays beside these, so that one piece of code serves FSTs, lattices and compact ones.

#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace kaldi_bridge {

struct ArcLists {
  int32_t start;           // -1: there are no states
  int32_t num_states;
  const int64_t *offsets;  // [num_states + 1]
  const int32_t *next;     // [number of arcs]

  int64_t num_arcs() const { return offsets[num_states]; }
};

struct DepthFirst {
  std::vector<int32_t> found, left;  // states in the order in which they are found, and left for good
  bool cyclic = false;
};

// From the start state, then from each state not yet found.
DepthFirst depth_first(const ArcLists &lists);

// order[s] is the number of state s in the order of OpenFst's TopSort, where arcs lead to higher numbers; empty: a cycle.
std::vector<int32_t> topological_order(const ArcLists &lists);

// Whether a state can be reached from the start, and a final state from it.
std::vector<char> useful_states(const ArcLists &lists, const double *finals);

// Costs [arcs] and final costs [states] add along a path. States must be numbered topologically.
// Of the cheapest path from the start to each state, and from each state to the end.
std::vector<double> costs_from_start(const ArcLists &lists, const double *costs);
std::vector<double> costs_to_end(const ArcLists &lists, const double *costs, const double *finals);

// log(exp(a) + exp(b)).
double log_add(double a, double b);

// The same with sums of probabilities, exp(-cost), in place of the cheapest path: their logarithms.
std::vector<double> log_sums_from_start(const ArcLists &lists, const double *costs);
std::vector<double> log_sums_to_end(const ArcLists &lists, const double *costs, const double *finals);

// What the values of arcs sum up to on average, over the ways from the start to each state, or from it to the end: `sums` are
// the log_sums of these ways, which are as probable as their costs say. States must be numbered topologically.
std::vector<double> means_from_start(const ArcLists &lists, const double *costs, const double *sums, const double *values);
std::vector<double> means_to_end(const ArcLists &lists, const double *costs, const double *sums, const double *values);

// How long the ways from the start to each state are; -1: cannot be reached. Throws std::invalid_argument where ways to a
// state differ in length. States must be numbered topologically.
std::vector<int64_t> lengths_from_start(const ArcLists &lists, const int64_t *lengths);

struct Path {
  std::vector<int64_t> arcs;
  int32_t end = -1;  // the final state; -1: there is no path
};

Path best_path(const ArcLists &lists, const double *costs, const double *finals);

// The n cheapest paths, the best first: A* with the exact costs to the end.
std::vector<Path> n_best_paths(const ArcLists &lists, const double *costs, const double *finals, int32_t n);

}  // namespace kaldi_bridge
