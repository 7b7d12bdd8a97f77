#include "compact_states.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "arc_lists.h"

namespace kaldi_bridge {

namespace {

using Arc = CompactStates::Arc;
using Final = CompactStates::Final;

// Of two costs with transition-ids, the smaller cost, the shorter string, the string that is later in the alphabet.
bool worse(const Weight &a, const Ids &a_ids, const Weight &b, const Ids &b_ids) {
  if (better(b, a)) return true;
  if (better(a, b)) return false;
  if (a_ids.size() != b_ids.size()) return a_ids.size() > b_ids.size();
  return a_ids < b_ids;
}

Weight times(const Weight &a, const Weight &b) { return {a.graph + b.graph, a.acoustic + b.acoustic}; }

Ids joined(const Ids &a, const Ids &b) {
  Ids both(a);
  both.insert(both.end(), b.begin(), b.end());
  return both;
}

// The order in which states are rid of their epsilons: those that epsilons lead to before those that they come from.
std::vector<int32_t> epsilon_order(const CompactStates &states) {
  const int32_t n = states.num_states();
  std::vector<int64_t> offsets = {0};
  std::vector<int32_t> next;
  bool sorted = true;
  for (int32_t s = 0; s < n; s++) {
    for (const Arc &arc : states.arcs[s]) {
      sorted = sorted && arc.nextstate > s;
      if (arc.label == 0) next.push_back(arc.nextstate);
    }
    offsets.push_back(static_cast<int64_t>(next.size()));
  }
  if (!sorted) return depth_first({states.start, n, offsets.data(), next.data()}).left;
  std::vector<int32_t> order(n);
  for (int32_t s = 0; s < n; s++) order[s] = n - 1 - s;
  return order;
}

class EpsilonRemoval {
 public:
  explicit EpsilonRemoval(CompactStates *states) : states_(*states), visited_(states->num_states(), 0) {}

  void run() {
    const int32_t n = states_.num_states();
    std::vector<char> kept(n, 0);  // the start, and what words lead to
    kept[states_.start] = 1;
    for (const auto &out : states_.arcs)
      for (const Arc &arc : out)
        if (arc.label != 0) kept[arc.nextstate] = 1;
    for (int32_t s : epsilon_order(states_))
      if (kept[s]) expand(s);
    for (int32_t s = 0; s < n; s++)
      if (!kept[s]) states_.arcs[s].clear();
    connect(&states_);
  }

 private:
  struct Distance {
    Weight weight;
    Ids ids;
  };

  // The best way by epsilons from a state to each that they lead to.
  std::map<int32_t, Distance> epsilon_distances(int32_t source) const {
    std::map<int32_t, Distance> distances = {{source, {{0.0f, 0.0f}, {}}}};
    std::vector<int32_t> queue = {source};
    while (!queue.empty()) {
      const int32_t s = queue.back();
      queue.pop_back();
      const Distance here = distances[s];
      for (const Arc &arc : states_.arcs[s]) {
        if (arc.label != 0) continue;
        Distance way = {times(here.weight, arc.weight), joined(here.ids, arc.ids)};
        const auto found = distances.find(arc.nextstate);
        if (found != distances.end() && !worse(found->second.weight, found->second.ids, way.weight, way.ids)) continue;
        distances[arc.nextstate] = std::move(way);
        queue.push_back(arc.nextstate);
      }
    }
    return distances;
  }

  void expand(int32_t source) {
    if (std::none_of(states_.arcs[source].begin(), states_.arcs[source].end(), [](const Arc &a) { return a.label == 0; })) {
      merge_parallel(source);
      return;
    }
    const std::map<int32_t, Distance> distances = epsilon_distances(source);
    std::vector<Arc> made;
    std::map<std::pair<int32_t, int32_t>, size_t> places;  // of arcs by label and next state
    Final final;
    std::vector<int32_t> stack = {source}, seen;
    while (!stack.empty()) {
      const int32_t s = stack.back();
      stack.pop_back();
      if (visited_[s]) continue;
      visited_[s] = 1;
      seen.push_back(s);
      const Distance &distance = distances.at(s);
      for (const Arc &arc : states_.arcs[s]) {
        if (arc.label == 0) {
          if (!visited_[arc.nextstate]) stack.push_back(arc.nextstate);
        } else {
          add({arc.label, times(distance.weight, arc.weight), joined(distance.ids, arc.ids), arc.nextstate}, &made, &places);
        }
      }
      const Final &there = states_.finals[s];
      if (!is_final(there.weight)) continue;
      Final way = {times(distance.weight, there.weight), joined(distance.ids, there.ids)};
      if (!is_final(final.weight) || worse(final.weight, final.ids, way.weight, way.ids)) final = std::move(way);
    }
    for (int32_t s : seen) visited_[s] = 0;
    std::reverse(made.begin(), made.end());
    states_.arcs[source] = std::move(made);
    states_.finals[source] = std::move(final);
  }

  static void add(Arc &&arc, std::vector<Arc> *made, std::map<std::pair<int32_t, int32_t>, size_t> *places) {
    const auto [place, is_new] = places->insert({{arc.label, arc.nextstate}, made->size()});
    if (is_new) {
      made->push_back(std::move(arc));
    } else {
      Arc &before = (*made)[place->second];
      if (worse(before.weight, before.ids, arc.weight, arc.ids)) before = std::move(arc);
    }
  }

  void merge_parallel(int32_t s) {
    std::vector<Arc> made;
    std::map<std::pair<int32_t, int32_t>, size_t> places;
    for (Arc &arc : states_.arcs[s]) add(std::move(arc), &made, &places);
    std::reverse(made.begin(), made.end());
    states_.arcs[s] = std::move(made);
  }

  CompactStates &states_;
  std::vector<char> visited_;
};

}  // namespace

int32_t CompactStates::add() {
  arcs.emplace_back();
  finals.emplace_back();
  return num_states() - 1;
}

CompactStates states_of(const FlatCompactLattice &lattice) {
  CompactStates made;
  made.start = lattice.start;
  auto ids = [&](int64_t i) {
    return Ids(lattice.strings.begin() + lattice.string_offsets[i], lattice.strings.begin() + lattice.string_offsets[i + 1]);
  };
  for (int32_t s = 0; s < lattice.num_states(); s++) {
    made.add();
    for (int64_t i = lattice.offsets[s]; i < lattice.offsets[s + 1]; i++) {
      const FlatCompactArc &arc = lattice.arcs[i];
      made.arcs[s].push_back({arc.label, {arc.graph, arc.acoustic}, ids(i), arc.nextstate});
    }
    if (is_final(lattice.finals[s]))
      made.finals[s] = {lattice.finals[s], ids(static_cast<int64_t>(lattice.arcs.size()) + s)};
  }
  return made;
}

FlatCompactLattice flat(const CompactStates &states) {
  FlatCompactLattice made;
  made.start = states.num_states() > 0 ? states.start : -1;
  made.offsets = {0};
  made.string_offsets = {0};
  auto append = [&](const Ids &ids) {
    made.strings.insert(made.strings.end(), ids.begin(), ids.end());
    made.string_offsets.push_back(static_cast<int64_t>(made.strings.size()));
  };
  for (const auto &out : states.arcs) {
    for (const Arc &arc : out) {
      made.arcs.push_back({arc.label, arc.weight.graph, arc.weight.acoustic, arc.nextstate});
      append(arc.ids);
    }
    made.offsets.push_back(static_cast<int64_t>(made.arcs.size()));
  }
  for (const Final &final : states.finals) {
    made.finals.push_back(final.weight);
    append(final.ids);
  }
  return made;
}

void make_super_final(CompactStates *states) {
  std::vector<int32_t> ends;
  for (int32_t s = 0; s < states->num_states(); s++)
    if (is_final(states->finals[s].weight)) ends.push_back(s);
  if (ends.size() == 1) {
    const Final &only = states->finals[ends[0]];
    if (only.weight.graph == 0.0f && only.weight.acoustic == 0.0f && only.ids.empty() && states->arcs[ends[0]].empty()) return;
  }
  const int32_t end = states->add();
  for (int32_t s : ends) {
    Final &final = states->finals[s];
    states->arcs[s].push_back({0, final.weight, std::move(final.ids), end});
    final = Final();
  }
  states->finals[end].weight = {0.0f, 0.0f};
}

void connect(CompactStates *states) {
  const int32_t n = states->num_states();
  std::vector<int64_t> offsets = {0};
  std::vector<int32_t> next;
  std::vector<double> finals;
  for (int32_t s = 0; s < n; s++) {
    for (const Arc &arc : states->arcs[s]) next.push_back(arc.nextstate);
    offsets.push_back(static_cast<int64_t>(next.size()));
    finals.push_back(states->finals[s].weight.graph + states->finals[s].weight.acoustic);
  }
  const std::vector<char> useful = useful_states({states->start, n, offsets.data(), next.data()}, finals.data());
  std::vector<int32_t> numbers(n, -1);
  CompactStates made;
  for (int32_t s = 0; s < n; s++)
    if (useful[s]) numbers[s] = made.add();
  for (int32_t s = 0; s < n; s++) {
    if (!useful[s]) continue;
    for (Arc &arc : states->arcs[s]) {
      if (!useful[arc.nextstate]) continue;
      arc.nextstate = numbers[arc.nextstate];
      made.arcs[numbers[s]].push_back(std::move(arc));
    }
    made.finals[numbers[s]] = std::move(states->finals[s]);
  }
  made.start = states->start >= 0 ? numbers[states->start] : -1;
  *states = std::move(made);
}

void remove_epsilons(CompactStates *states) {
  if (states->start >= 0) EpsilonRemoval(states).run();
}

}  // namespace kaldi_bridge
