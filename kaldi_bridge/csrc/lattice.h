// Lattices as the search and the determinization pass them on.
//
// A cost is a pair (graph, acoustic); the better of two costs has the smaller sum, and, the sums being equal, the smaller
// graph part. Costs add along a path.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace kaldi_bridge {

using std::size_t;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Cost {
  double graph = 0.0, acoustic = 0.0;

  double total() const { return graph + acoustic; }
  Cost operator+(const Cost &other) const { return {graph + other.graph, acoustic + other.acoustic}; }
  Cost operator-(const Cost &other) const { return {graph - other.graph, acoustic - other.acoustic}; }
  bool is_infinite() const { return !(total() < kInfinity); }
};

inline bool better(const Cost &a, const Cost &b) {
  const double x = a.total(), y = b.total();
  return x != y ? x < y : a.graph < b.graph;
}

constexpr Cost kNoCost = {kInfinity, 0.0};

// An arc with a word and a transition-id (0 for none of either).
struct Arc {
  int32_t tid, word;
  Cost cost;
  int32_t next;
};

struct State {
  std::vector<Arc> arcs;
  Cost final = kNoCost;
};

// State 0 is the start state; no states: there is no lattice.
using Lattice = std::vector<State>;

// An arc with a word and any number of transition-ids.
struct CompactArc {
  int32_t word;
  Cost cost;
  std::vector<int32_t> tids;
  int32_t next;
};

struct CompactState {
  std::vector<CompactArc> arcs;
  Cost final = kNoCost;
  std::vector<int32_t> final_tids;
};

using CompactLattice = std::vector<CompactState>;

// New numbers for states in topological order, the start state first; states that cannot be reached get -1.
// Empty when there is a cycle. Works for both kinds of lattice.
template <class States>
std::vector<int32_t> topological_order(const States &states) {
  const size_t n = states.size();
  std::vector<int32_t> number(n, -1);
  std::vector<char> color(n, 0);  // 0 new, 1 on the way, 2 left
  std::vector<int32_t> left;
  std::vector<std::pair<int32_t, size_t>> stack;
  if (n > 0) {
    stack.emplace_back(0, 0);
    color[0] = 1;
  }
  while (!stack.empty()) {
    auto &[s, i] = stack.back();
    if (i < states[s].arcs.size()) {
      const int32_t next = states[s].arcs[i++].next;
      if (color[next] == 1) return {};
      if (color[next] == 0) {
        color[next] = 1;
        stack.emplace_back(next, 0);
      }
    } else {
      color[s] = 2;
      left.push_back(s);
      stack.pop_back();
    }
  }
  for (size_t i = 0; i < left.size(); i++) number[left[i]] = static_cast<int32_t>(left.size() - 1 - i);
  return number;
}

// Renumbers (see topological_order) and drops states that cannot be reached; false when there is a cycle.
template <class States>
bool sort_topologically(States *states) {
  if (states->empty()) return true;
  const std::vector<int32_t> number = topological_order(*states);
  if (number.empty()) return false;
  int32_t count = 0;
  for (int32_t i : number) count += i >= 0;
  States sorted(count);
  for (size_t s = 0; s < states->size(); s++) {
    if (number[s] < 0) continue;
    sorted[number[s]] = std::move((*states)[s]);
    for (auto &arc : sorted[number[s]].arcs) arc.next = number[arc.next];
  }
  states->swap(sorted);
  return true;
}

// The cheapest cost from each state to the end; the states must be in topological order.
template <class States>
std::vector<double> costs_to_end(const States &states) {
  std::vector<double> costs(states.size());
  for (size_t s = states.size(); s-- > 0;) {
    double best = states[s].final.total();
    for (const auto &arc : states[s].arcs) {
      const double cost = arc.cost.total() + costs[arc.next];
      if (cost < best) best = cost;
    }
    costs[s] = best;
  }
  return costs;
}

// Drops arcs and final costs on no path within `beam` of the best, and states then out of reach. Topological order.
void prune(double beam, Lattice *lattice);

}  // namespace kaldi_bridge
