#include "shortest_paths.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

namespace kaldi_bridge {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// What the best way from the start to each state costs.
std::vector<float> distances(const FstView &fst, float delta) {
  std::vector<float> distance(fst.num_states, kInf);
  std::vector<int32_t> times(fst.num_states, 0);
  std::vector<bool> waits(fst.num_states, false);
  std::deque<int32_t> waiting{fst.start};
  distance[fst.start] = 0.0f;
  while (!waiting.empty()) {
    const int32_t s = waiting.front();
    waiting.pop_front();
    waits[s] = false;
    for (int64_t i = fst.offsets[s]; i < fst.offsets[s + 1]; i++) {
      const FstArc &arc = fst.arcs[i];
      const float cost = distance[s] + arc.weight;
      float &old = distance[arc.nextstate];
      if (!(cost < old) || (old != kInf && old <= cost + delta)) continue;
      old = cost;
      if (waits[arc.nextstate]) continue;
      if (++times[arc.nextstate] > fst.num_states) throw std::invalid_argument("the FST has a cycle of negative cost");
      waits[arc.nextstate] = true;
      waiting.push_back(arc.nextstate);
    }
  }
  return distance;
}

// The reverse, whose state s + 1 is s; its start has an arc to each end.
class Reversed {
 public:
  Reversed(const FstView &fst, float delta) : start_(fst.start + 1), arcs_(fst.num_states + 1), distance_(fst.num_states + 1) {
    const std::vector<float> from_start = distances(fst, delta);
    distance_[0] = kInf;
    for (int32_t s = 0; s < fst.num_states; s++) {
      distance_[s + 1] = from_start[s];
      if (fst.finals[s] != kInf) {
        arcs_[0].push_back({0, 0, fst.finals[s], s + 1});
        distance_[0] = std::min(distance_[0], fst.finals[s] + from_start[s]);
      }
      for (int64_t i = fst.offsets[s]; i < fst.offsets[s + 1]; i++) {
        const FstArc &arc = fst.arcs[i];
        arcs_[arc.nextstate + 1].push_back({arc.ilabel, arc.olabel, arc.weight, s + 1});
      }
    }
  }
  int32_t start() const { return 0; }
  const std::vector<FstArc> &arcs(int32_t state) const { return arcs_[state]; }
  float final(int32_t state) const { return state == start_ ? 0.0f : kInf; }
  float distance(int32_t state) const { return distance_[state]; }

 private:
  const int32_t start_;
  std::vector<std::vector<FstArc>> arcs_;
  std::vector<float> distance_;
};

// Its deterministic acceptor (fst/determinize.h): states are subsets, with what each of their states costs beyond what
// the path has cost.
class Deterministic {
 public:
  Deterministic(const Reversed &fst, float delta) : fst_(fst), delta_(delta) { number({{fst.start(), 0.0f}}); }

  int32_t start() const { return 0; }
  const std::vector<FstArc> &arcs(int32_t state) {
    if (static_cast<size_t>(state) >= arcs_.size()) arcs_.resize(state + 1);
    if (!arcs_[state].first) arcs_[state] = {true, unfolded(*subsets_[state])};
    return arcs_[state].second;
  }
  float final(int32_t state) const {
    return least(*subsets_[state], [&](int32_t s) { return fst_.final(s); });
  }
  float distance(int32_t state) const {
    return least(*subsets_[state], [&](int32_t s) { return fst_.distance(s); });
  }

 private:
  using Subset = std::vector<std::pair<int32_t, float>>;

  template <class CostOf>
  static float least(const Subset &subset, CostOf cost_of) {
    float best = kInf;
    for (const auto &[state, cost] : subset) best = std::min(best, cost + cost_of(state));
    return best;
  }

  int32_t number(Subset subset) {
    const auto [place, is_new] = numbers_.emplace(std::move(subset), static_cast<int32_t>(subsets_.size()));
    if (is_new) subsets_.push_back(&place->first);
    return place->second;
  }

  std::vector<FstArc> unfolded(const Subset &from) {
    std::map<int32_t, std::map<int32_t, float>> ways;  // by label, the best one to each state
    for (const auto &[state, cost] : from)
      for (const FstArc &arc : fst_.arcs(state)) {
        const auto [place, is_new] = ways[arc.ilabel].emplace(arc.nextstate, cost + arc.weight);
        if (!is_new) place->second = std::min(place->second, cost + arc.weight);
      }
    std::vector<FstArc> arcs;
    for (const auto &[label, reached] : ways) {
      float best = kInf;
      for (const auto &entry : reached) best = std::min(best, entry.second);
      Subset subset(reached.begin(), reached.end());
      for (auto &entry : subset) entry.second = std::floor((entry.second - best) / delta_ + 0.5f) * delta_;
      arcs.push_back({label, label, best, number(std::move(subset))});
    }
    return arcs;
  }

  const Reversed &fst_;
  const float delta_;
  std::map<Subset, int32_t> numbers_;
  std::vector<const Subset *> subsets_;  // by number; in numbers_
  std::vector<std::pair<bool, std::vector<FstArc>>> arcs_;
};

constexpr int32_t kComplete = -1;  // a path that has come to the start

template <class Backward>
MutableFst cheapest(Backward &fst, const ShortestPathsOptions &options) {
  MutableFst tree;
  const float best = fst.distance(fst.start());
  if (best == kInf || options.most < 0.0f || options.states == 0) return tree;
  tree.set_start(tree.add_state());
  const int32_t end = tree.add_state();
  tree.set_final(end, 0.0f);
  struct Way {
    int32_t state;  // where it has come to
    float cost;     // so far
  };
  std::vector<Way> ways(end + 1, Way{kComplete, kInf});  // of the states of the tree
  ways[end] = {fst.start(), 0.0f};
  const auto total = [&](int32_t place) {
    return ways[place].state == kComplete ? ways[place].cost : fst.distance(ways[place].state) + ways[place].cost;
  };
  const auto is_worse = [&](int32_t x, int32_t y) {  // complete paths come after others that cost the same
    const float cost = total(x), other = total(y);
    const bool same = cost <= other + options.delta && other <= cost + options.delta;
    const bool complete = ways[x].state == kComplete, other_complete = ways[y].state == kComplete;
    if (complete && !other_complete) return other < cost || same;
    if (other_complete && !complete) return other < cost && !same;
    return other < cost;
  };
  std::vector<int32_t> heap{end};
  const auto push = [&](const FstArc &arc, int32_t state, float cost, int32_t to) {
    const int32_t place = tree.add_state();
    ways.push_back({state, cost});
    tree.add_arc(place, {arc.ilabel, arc.olabel, arc.weight, to});
    heap.push_back(place);
    std::push_heap(heap.begin(), heap.end(), is_worse);
  };
  const float limit = best + options.most;
  std::vector<int32_t> times;  // that each state, after the one of complete paths, was come by
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), is_worse);
    const int32_t place = heap.back();
    heap.pop_back();
    const Way way = ways[place];
    if (limit < total(place) || (options.states >= 0 && tree.num_states() >= options.states)) continue;
    if (times.size() <= static_cast<size_t>(way.state + 1)) times.resize(way.state + 2, 0);
    const int32_t count = ++times[way.state + 1];
    if (way.state == kComplete) {
      tree.add_arc(tree.start, {0, 0, 0.0f, place});
      if (count == options.count) break;
      continue;
    }
    if (count > options.count) continue;
    const std::vector<FstArc> arcs = fst.arcs(way.state);
    for (const FstArc &arc : arcs) push(arc, arc.nextstate, way.cost + arc.weight, place);
    const float final = fst.final(way.state);
    if (final != kInf) push({0, 0, final, 0}, kComplete, way.cost + final, place);
  }
  tree.connect();
  return tree;
}

}  // namespace

MutableFst shortest_paths(const FstView &fst, const ShortestPathsOptions &options) {
  if (fst.start < 0 || options.count <= 0) return MutableFst();
  Reversed reversed(fst, options.delta);
  if (!options.unique) return cheapest(reversed, options);
  for (int64_t i = 0; i < fst.offsets[fst.num_states]; i++)
    if (fst.arcs[i].ilabel != fst.arcs[i].olabel)
      throw std::invalid_argument("DeterminizeFst: Distance to final states computed for acceptors only");
  Deterministic deterministic(reversed, options.delta);
  return cheapest(deterministic, options);
}

}  // namespace kaldi_bridge
