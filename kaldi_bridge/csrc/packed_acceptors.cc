#include "packed_acceptors.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <map>
#include <stdexcept>
#include <unordered_map>
#include <utility>

namespace kaldi_bridge {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kScale = 1e5;  // costs that differ by less than its inverse are the same

int64_t quantized(double cost) { return std::isfinite(cost) ? std::llround(cost * kScale) : INT64_MAX; }

int64_t pair_key(int32_t a, int32_t b) { return (static_cast<int64_t>(a) << 32) | static_cast<uint32_t>(b); }

struct VectorHash {
  size_t operator()(const std::vector<int64_t> &values) const {
    uint64_t hash = values.size();
    for (int64_t value : values) hash = (hash ^ static_cast<uint64_t>(value)) * 0x9E3779B97F4A7C15ull + (hash >> 29);
    return hash;
  }
};

// Numbers things from 0 in the order in which they come up, and remembers them in this order.
template <class Key, class Hash = std::hash<Key>>
class Numbering {
 public:
  // (number, whether it is new).
  std::pair<int32_t, bool> operator()(const Key &key) {
    const auto [place, added] = numbers_.emplace(key, static_cast<int32_t>(numbers_.size()));
    return {place->second, added};
  }

  size_t size() const { return numbers_.size(); }

 private:
  std::unordered_map<Key, int32_t, Hash> numbers_;
};

std::vector<std::vector<int32_t>> sources(const Acceptor &a) {
  std::vector<std::vector<int32_t>> into(a.num_states());
  for (int32_t s = 0; s < a.num_states(); s++)
    for (const AcceptorArc &arc : a.arcs[s]) into[arc.next].push_back(s);
  return into;
}

// All states, each after those that its arcs lead to.
std::vector<int32_t> from_the_end(const Acceptor &a) {
  const auto into = sources(a);
  std::vector<size_t> waiting_for(a.num_states());
  std::vector<int32_t> order;
  order.reserve(a.num_states());
  for (int32_t s = 0; s < a.num_states(); s++)
    if ((waiting_for[s] = a.arcs[s].size()) == 0) order.push_back(s);
  for (size_t i = 0; i < order.size(); i++)
    for (int32_t s : into[order[i]])
      if (--waiting_for[s] == 0) order.push_back(s);
  if (order.size() != a.arcs.size()) throw std::runtime_error("the acceptor has a cycle");
  return order;
}

// The lowest cost from each state to an end.
std::vector<double> costs_to_end(const Acceptor &a) {
  std::vector<double> costs = a.finals;
  for (int32_t s : from_the_end(a))
    for (const AcceptorArc &arc : a.arcs[s]) costs[s] = std::min(costs[s], arc.cost + costs[arc.next]);
  return costs;
}

// With just these states, in this order; arcs to others are dropped.
Acceptor renumbered(const Acceptor &a, const std::vector<int32_t> &order) {
  std::vector<int32_t> number(a.num_states(), -1);
  for (size_t n = 0; n < order.size(); n++) number[order[n]] = static_cast<int32_t>(n);
  Acceptor made;
  made.start = a.start >= 0 ? number[a.start] : -1;
  made.arcs.resize(order.size());
  made.finals.resize(order.size());
  for (size_t n = 0; n < order.size(); n++) {
    made.finals[n] = a.finals[order[n]];
    for (const AcceptorArc &arc : a.arcs[order[n]])
      if (number[arc.next] >= 0) made.arcs[n].push_back({arc.label, arc.cost, number[arc.next]});
  }
  return made;
}

Acceptor breadth_first(const Acceptor &a) {
  std::vector<bool> seen(a.num_states(), false);
  std::vector<int32_t> order{a.start};
  seen[a.start] = true;
  for (size_t i = 0; i < order.size(); i++)
    for (const AcceptorArc &arc : a.arcs[order[i]])
      if (!seen[arc.next]) {
        seen[arc.next] = true;
        order.push_back(arc.next);
      }
  return renumbered(a, order);
}

// The states that epsilons lead to, in the order in which they are found, and the best cost of getting there.
std::vector<std::pair<int32_t, double>> epsilon_closure(const Acceptor &a, int32_t state) {
  std::vector<std::pair<int32_t, double>> found{{state, 0.0}};
  std::unordered_map<int32_t, size_t> place{{state, 0}};
  std::deque<int32_t> waiting{state};
  for (int64_t steps = 0; !waiting.empty(); steps++) {
    if (steps >= 100 * (static_cast<int64_t>(a.num_states()) + 1))
      throw std::runtime_error("the FST has a cycle of epsilons with a negative cost");
    const int32_t s = waiting.front();
    waiting.pop_front();
    for (const AcceptorArc &arc : a.arcs[s]) {
      if (arc.label != 0) continue;
      const double cost = found[place[s]].second + arc.cost;
      const auto [where, added] = place.emplace(arc.next, found.size());
      if (added) found.emplace_back(arc.next, kInfinity);
      if (cost < found[where->second].second - 1.0e-9) {
        found[where->second].second = cost;
        waiting.push_back(arc.next);
      }
    }
  }
  return found;
}

}  // namespace

Acceptor connected(const Acceptor &a) {
  std::vector<bool> forward(a.num_states(), false), backward(a.num_states(), false);
  std::vector<int32_t> waiting;
  if (a.start >= 0) {
    forward[a.start] = true;
    waiting.push_back(a.start);
  }
  while (!waiting.empty()) {
    const int32_t s = waiting.back();
    waiting.pop_back();
    for (const AcceptorArc &arc : a.arcs[s])
      if (!forward[arc.next]) {
        forward[arc.next] = true;
        waiting.push_back(arc.next);
      }
  }
  const auto into = sources(a);
  for (int32_t s = 0; s < a.num_states(); s++)
    if (a.finals[s] < kInfinity) {
      backward[s] = true;
      waiting.push_back(s);
    }
  while (!waiting.empty()) {
    const int32_t t = waiting.back();
    waiting.pop_back();
    for (int32_t s : into[t])
      if (!backward[s]) {
        backward[s] = true;
        waiting.push_back(s);
      }
  }
  std::vector<int32_t> order;
  for (int32_t s = 0; s < a.num_states(); s++)
    if (forward[s] && backward[s]) order.push_back(s);
  return renumbered(a, order);
}

Acceptor without_epsilons(const Acceptor &a) {
  Acceptor made;
  made.start = a.start;
  made.arcs.resize(a.num_states());
  made.finals.assign(a.num_states(), kInfinity);
  for (int32_t state = 0; state < a.num_states(); state++) {
    Numbering<int64_t> numbers;
    std::vector<AcceptorArc> &out = made.arcs[state];
    for (const auto &[s, cost] : epsilon_closure(a, state)) {
      made.finals[state] = std::min(made.finals[state], cost + a.finals[s]);
      for (const AcceptorArc &arc : a.arcs[s]) {
        if (arc.label == 0) continue;
        const auto [number, added] = numbers(pair_key(arc.label, arc.next));
        if (added)
          out.push_back({arc.label, cost + arc.cost, arc.next});
        else
          out[number].cost = std::min(out[number].cost, cost + arc.cost);
      }
    }
  }
  return connected(made);
}

Acceptor composed(const Acceptor &a, const Acceptor &b) {
  Acceptor made;
  if (a.start < 0 || b.start < 0) return made;
  Numbering<int64_t> numbers;
  std::vector<std::pair<int32_t, int32_t>> places{{a.start, b.start}};
  numbers(pair_key(a.start, b.start));
  std::unordered_map<int32_t, std::unordered_map<int32_t, std::vector<int32_t>>> by_label;  // arcs of b's states
  for (size_t i = 0; i < places.size(); i++) {
    const auto [s, t] = places[i];
    const auto [index, is_new] = by_label.try_emplace(t);
    if (is_new)
      for (size_t k = 0; k < b.arcs[t].size(); k++)
        index->second[b.arcs[t][k].label].push_back(static_cast<int32_t>(k));
    std::vector<AcceptorArc> out;
    for (const AcceptorArc &arc : a.arcs[s]) {
      const auto found = index->second.find(arc.label);
      if (found == index->second.end()) continue;
      for (int32_t k : found->second) {
        const AcceptorArc &other = b.arcs[t][k];
        const auto [number, added] = numbers(pair_key(arc.next, other.next));
        if (added) places.emplace_back(arc.next, other.next);
        out.push_back({arc.label, arc.cost + other.cost, number});
      }
    }
    made.arcs.push_back(std::move(out));
    made.finals.push_back(a.finals[s] + b.finals[t]);
  }
  made.start = 0;
  return connected(made);
}

Acceptor determinized(const Acceptor &a, size_t most_states) {
  Acceptor made;
  if (a.start < 0) return made;
  using Subset = std::vector<std::pair<int32_t, double>>;  // states and what is left to pay, rounded
  std::vector<Subset> subsets{{{a.start, 0.0}}};
  Numbering<std::vector<int64_t>, VectorHash> numbers;
  numbers({a.start, 0});
  for (size_t i = 0; i < subsets.size(); i++) {
    const Subset subset = subsets[i];
    std::vector<std::pair<int32_t, std::map<int32_t, double>>> best;  // of each label, what is reached
    std::unordered_map<int32_t, size_t> place;
    double final_cost = kInfinity;
    for (const auto &[s, rest] : subset) {
      final_cost = std::min(final_cost, rest + a.finals[s]);
      for (const AcceptorArc &arc : a.arcs[s]) {
        const auto [where, added] = place.emplace(arc.label, best.size());
        if (added) best.emplace_back(arc.label, std::map<int32_t, double>());
        const auto [reached, first] = best[where->second].second.emplace(arc.next, rest + arc.cost);
        if (!first) reached->second = std::min(reached->second, rest + arc.cost);
      }
    }
    std::vector<AcceptorArc> out;
    for (const auto &[label, targets] : best) {
      double least = kInfinity;
      for (const auto &[t, cost] : targets) least = std::min(least, cost);
      Subset next;
      std::vector<int64_t> key;
      for (const auto &[t, cost] : targets) {
        const int64_t rest = quantized(cost - least);
        next.emplace_back(t, static_cast<double>(rest) / kScale);
        key.push_back(t);
        key.push_back(rest);
      }
      const auto [number, added] = numbers(key);
      if (added) {
        if (numbers.size() > most_states)
          throw std::runtime_error("determinization stopped at " + std::to_string(most_states) + " states");
        subsets.push_back(std::move(next));
      }
      out.push_back({label, least, number});
    }
    made.arcs.push_back(std::move(out));
    made.finals.push_back(final_cost);
  }
  made.start = 0;
  return made;
}

Acceptor minimized(const Acceptor &unconnected) {
  const Acceptor a = connected(unconnected);
  if (a.start < 0) return a;
  const std::vector<double> to_end = costs_to_end(a);
  // States with the same arcs are the first one of them, from the end on.
  std::unordered_map<std::vector<int64_t>, int32_t, VectorHash> kept;
  std::vector<int32_t> same(a.num_states());
  for (int32_t s : from_the_end(a)) {
    std::vector<std::pair<int32_t, std::pair<int64_t, int32_t>>> row;
    for (const AcceptorArc &arc : a.arcs[s])
      row.push_back({arc.label, {quantized(arc.cost + to_end[arc.next] - to_end[s]), same[arc.next]}});
    std::sort(row.begin(), row.end());
    std::vector<int64_t> key{a.finals[s] < kInfinity ? quantized(a.finals[s] - to_end[s]) : INT64_MAX};
    for (const auto &[label, rest] : row) key.insert(key.end(), {label, rest.first, rest.second});
    same[s] = kept.emplace(std::move(key), s).first->second;
  }
  std::vector<double> rest = to_end;
  rest[a.start] = 0.0;  // costs are pushed to the start, where they stay
  Acceptor made = a;
  made.start = same[a.start];
  for (int32_t s = 0; s < a.num_states(); s++) {
    for (AcceptorArc &arc : made.arcs[s]) arc = {arc.label, arc.cost + to_end[arc.next] - rest[s], same[arc.next]};
    made.finals[s] -= rest[s];
  }
  return breadth_first(made);
}

Acceptor pushed_to_start(const Acceptor &unconnected) {
  Acceptor a = connected(unconnected);
  const std::vector<double> to_end = costs_to_end(a);
  for (int32_t s = 0; s < a.num_states(); s++) {
    for (AcceptorArc &arc : a.arcs[s]) arc.cost += to_end[arc.next] - to_end[s];
    a.finals[s] -= to_end[s];
  }
  return a;
}

std::vector<int32_t> state_times(const Acceptor &a, int32_t length) {
  std::vector<int32_t> times(a.num_states(), -1);
  if (a.start >= 0) times[a.start] = 0;
  for (int32_t s = 0; s < a.num_states(); s++) {
    for (const AcceptorArc &arc : a.arcs[s]) {
      int32_t &time = times[arc.next];
      if (times[s] < 0 || arc.next <= s || (time != -1 && time != times[s] + 1))
        throw std::runtime_error("the states of a supervision must be in the order of time, each of one time");
      time = times[s] + 1;
    }
    if (a.finals[s] < kInfinity && times[s] != length)
      throw std::runtime_error("the supervision has a path that is not " + std::to_string(length) + " frames long");
  }
  return times;
}

Acceptor part_in_time(const Acceptor &a, const std::vector<int32_t> &times, int32_t first, int32_t end) {
  std::vector<int32_t> states, number(a.num_states(), -1);
  for (int32_t s = 0; s < a.num_states(); s++)
    if (first <= times[s] && times[s] < end) {
      states.push_back(s);
      number[s] = static_cast<int32_t>(states.size());
    }
  const int32_t final_state = static_cast<int32_t>(states.size()) + 1;
  Acceptor made{0, std::vector<std::vector<AcceptorArc>>(final_state + 1),
                std::vector<double>(final_state + 1, kInfinity)};
  made.finals[final_state] = 0.0;
  for (int32_t s : states) {
    if (times[s] == first) made.arcs[0].push_back({0, 0.0, number[s]});
    for (const AcceptorArc &arc : a.arcs[s])
      made.arcs[number[s]].push_back({arc.label, arc.cost, number[arc.next] < 0 ? final_state : number[arc.next]});
  }
  return made;
}

}  // namespace kaldi_bridge
