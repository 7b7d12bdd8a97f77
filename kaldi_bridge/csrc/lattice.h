// Lattices as the search and the determinization pass them on.
//
// A cost is a pair (graph, acoustic) in single precision, as Kaldi has it (fstext/lattice-weight.h): the better of two costs
// has the smaller sum, and, the sums being equal, the smaller graph part. Costs add along a path.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace kaldi_bridge {

using std::size_t;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Cost {
  float graph = 0.0f, acoustic = 0.0f;

  double total() const { return static_cast<double>(graph) + acoustic; }
  float sum() const { return graph + acoustic; }  // what costs are compared by
  Cost operator+(const Cost &other) const { return {graph + other.graph, acoustic + other.acoustic}; }
  bool is_infinite() const { return !(sum() < std::numeric_limits<float>::infinity()); }
};

constexpr Cost kNoCost = {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};

// What must be added to `b` to have `a`; infinite when there is no such cost.
inline Cost operator-(const Cost &a, const Cost &b) {
  const Cost difference = {a.graph - b.graph, a.acoustic - b.acoustic};
  return std::isfinite(difference.graph) && std::isfinite(difference.acoustic) ? difference : kNoCost;
}

// 1: `a` is the better one, -1: `b` is, 0: they are the same.
inline int compare(const Cost &a, const Cost &b) {
  const float x = a.sum(), y = b.sum();
  if (x != y) return x < y ? 1 : -1;
  return a.graph < b.graph ? 1 : a.graph > b.graph ? -1 : 0;
}
inline bool better(const Cost &a, const Cost &b) { return compare(a, b) > 0; }

// Whether the sums differ by no more than `delta`.
inline bool about_equal(const Cost &a, const Cost &b, float delta) {
  return (a.graph == b.graph && a.acoustic == b.acoustic) || std::fabs(a.sum() - b.sum()) <= delta;
}

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

template <class States>
bool is_sorted_topologically(const States &states) {
  for (size_t s = 0; s < states.size(); s++)
    for (const auto &arc : states[s].arcs)
      if (static_cast<size_t>(arc.next) <= s) return false;
  return true;
}

// Drops states that cannot be reached or from which no final state can be; the others keep their order.
template <class States>
void connect(States *states) {
  const size_t n = states->size();
  std::vector<char> reached(n, 0), ends(n, 0);
  std::vector<std::vector<int32_t>> into(n);
  std::vector<int32_t> stack;
  if (n > 0) stack.push_back(0), reached[0] = 1;
  while (!stack.empty()) {
    const int32_t s = stack.back();
    stack.pop_back();
    for (const auto &arc : (*states)[s].arcs) {
      into[arc.next].push_back(s);
      if (!reached[arc.next]) stack.push_back(arc.next), reached[arc.next] = 1;
    }
  }
  for (size_t s = 0; s < n; s++)
    if (reached[s] && !(*states)[s].final.is_infinite()) stack.push_back(s), ends[s] = 1;
  while (!stack.empty()) {
    const int32_t s = stack.back();
    stack.pop_back();
    for (const int32_t before : into[s])
      if (!ends[before]) stack.push_back(before), ends[before] = 1;
  }
  if (n == 0 || !ends[0]) {
    states->clear();
    return;
  }
  std::vector<int32_t> number(n, -1);
  int32_t kept = 0;
  for (size_t s = 0; s < n; s++)
    if (ends[s]) number[s] = kept++;
  if (static_cast<size_t>(kept) == n) return;
  for (size_t s = 0; s < n; s++) {
    if (number[s] < 0) continue;
    auto &arcs = (*states)[s].arcs;
    arcs.erase(std::remove_if(arcs.begin(), arcs.end(), [&](const auto &arc) { return number[arc.next] < 0; }), arcs.end());
    for (auto &arc : arcs) arc.next = number[arc.next];
    if (static_cast<size_t>(number[s]) != s) (*states)[number[s]] = std::move((*states)[s]);
  }
  states->resize(kept);
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
void prune(float beam, Lattice *lattice);

}  // namespace kaldi_bridge
