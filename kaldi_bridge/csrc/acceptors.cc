#include "acceptors.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace kaldi_bridge {

CompactFst compact(const FstArrays &fst) {
  CompactFst out;
  for (int32_t s = 0; s < fst.states; s++) {
    out.positions.push_back(static_cast<uint32_t>(out.elements.size()));
    if (std::isfinite(fst.finals[s])) out.elements.push_back({-1, fst.finals[s], -1});
    for (int64_t i = fst.offsets[s]; i < fst.offsets[s + 1]; i++) {
      const FstArc &arc = fst.arcs[i];
      if (arc.ilabel != arc.olabel) throw std::invalid_argument("its input and output labels differ");
      out.elements.push_back({arc.ilabel, arc.weight, arc.nextstate});
    }
  }
  out.positions.push_back(static_cast<uint32_t>(out.elements.size()));
  return out;
}

namespace {

// Depth-first search for strongly connected components (Tarjan's algorithm), from the start state and then from every
// state that was not reached.
class Components {
 public:
  explicit Components(const FstArrays &fst)
      : component(fst.states, -1), fst_(fst), order_(fst.states, -1), low_(fst.states), ends_(fst.states, false) {
    if (fst.start >= 0) visit(fst.start);
    for (int32_t s = 0; s < fst.states; s++)
      if (order_[s] < 0) {
        accessible = false;
        visit(s);
      }
    for (int32_t s = 0; s < fst.states; s++) coaccessible = coaccessible && ends_[s];
  }

  std::vector<int32_t> component;  // of each state
  bool accessible = true, coaccessible = true, cyclic = false, initial_cyclic = false;

 private:
  struct Place {
    int32_t state;
    int64_t arc;
  };

  void enter(int32_t s) {
    order_[s] = low_[s] = count_++;
    ends_[s] = fst_.finals[s] != INFINITY;
    open_.push_back(s);
    path_.push_back({s, fst_.offsets[s]});
  }

  void visit(int32_t root) {
    enter(root);
    while (!path_.empty()) {
      const int32_t s = path_.back().state;
      if (path_.back().arc < fst_.offsets[s + 1]) {
        const int32_t next = fst_.arcs[path_.back().arc++].nextstate;
        if (order_[next] < 0) {
          enter(next);
        } else if (component[next] < 0) {  // on the way to s, or beside it
          low_[s] = std::min(low_[s], order_[next]);
          cyclic = true;
          initial_cyclic = initial_cyclic || next == fst_.start;
        } else {
          ends_[s] = ends_[s] || ends_[next];
        }
      } else {
        leave(s);
      }
    }
  }

  void leave(int32_t s) {
    path_.pop_back();
    if (low_[s] == order_[s]) {
      size_t first = open_.size();
      bool ends = false;
      do {
        first--;
        ends = ends || ends_[open_[first]];
      } while (open_[first] != s);
      for (size_t i = first; i < open_.size(); i++) {
        component[open_[i]] = num_components_;
        ends_[open_[i]] = ends;
      }
      num_components_++;
      open_.resize(first);
    }
    if (!path_.empty()) {
      const int32_t before = path_.back().state;
      low_[before] = std::min(low_[before], low_[s]);
      ends_[before] = ends_[before] || ends_[s];
    }
  }

  const FstArrays &fst_;
  std::vector<int32_t> order_, low_;
  std::vector<bool> ends_;  // whether a final state can be reached
  std::vector<int32_t> open_;
  std::vector<Place> path_;
  int32_t count_ = 0, num_components_ = 0;
};

}  // namespace

uint64_t properties(const FstArrays &fst) {
  const Components found(fst);
  bool deterministic = true, epsilons = false, sorted = true, weighted = false, weighted_cycles = false;
  bool top_sorted = true, string = fst.start <= 0, has_final = false;
  std::vector<int32_t> labels;
  for (int32_t s = 0; s < fst.states; s++) {
    labels.clear();
    for (int64_t i = fst.offsets[s]; i < fst.offsets[s + 1]; i++) {
      const FstArc &arc = fst.arcs[i];
      sorted = sorted && (labels.empty() || labels.back() <= arc.ilabel);
      labels.push_back(arc.ilabel);
      epsilons = epsilons || arc.ilabel == 0;
      const bool costs = arc.weight != 0.0f && arc.weight != INFINITY;
      weighted = weighted || costs;
      weighted_cycles = weighted_cycles || (costs && found.component[s] == found.component[arc.nextstate]);
      top_sorted = top_sorted && arc.nextstate > s;
      string = string && arc.nextstate == s + 1;
    }
    std::sort(labels.begin(), labels.end());
    deterministic = deterministic && std::adjacent_find(labels.begin(), labels.end()) == labels.end();
    const bool is_final = fst.finals[s] != INFINITY;
    string = string && !has_final && (is_final || labels.size() == 1);
    weighted = weighted || (is_final && fst.finals[s] != 0.0f);
    has_final = has_final || is_final;
  }
  // From bit 16 on, two bits for each: it holds, it does not. Those of input and output are the same here.
  const bool all[] = {true,     deterministic, deterministic, epsilons,     epsilons,
                      epsilons, sorted,        sorted,        weighted,     found.cyclic,
                      found.initial_cyclic,    top_sorted,    found.accessible, found.coaccessible,
                      string,   weighted_cycles};
  uint64_t bits = 1;  // all states are there ("expanded")
  int shift = 16;
  for (const bool holds : all) {
    bits |= uint64_t{holds ? 1u : 2u} << shift;
    shift += 2;
  }
  return bits;
}

NewFst concatenate(const std::vector<FstArrays> &fsts) {
  std::vector<int64_t> first{0};  // where each acceptor's states begin among all
  for (const FstArrays &fst : fsts) first.push_back(first.back() + fst.states);
  for (const FstArrays &fst : fsts)
    if (std::isfinite(fst.finals[fst.start])) throw std::invalid_argument("it accepts nothing at all");

  NewFst out;
  struct Place {
    size_t fst;
    int32_t state;
  };
  std::vector<int32_t> number(first.back(), -1);  // of a state in the result, once it is known
  std::vector<Place> queue{{0, fsts[0].start}};
  number[fsts[0].start] = 0;
  // Adds the arcs of one state, the last one first; `cost`: of the end of the acceptor before, if they go on from there.
  const auto add_arcs = [&](size_t which, int32_t state, const float *cost) {
    const FstArrays &fst = fsts[which];
    for (int64_t i = fst.offsets[state + 1] - 1; i >= fst.offsets[state]; i--) {
      FstArc arc = fst.arcs[i];
      int32_t &target = number[first[which] + arc.nextstate];
      if (target < 0) {
        target = static_cast<int32_t>(queue.size());
        queue.push_back({which, arc.nextstate});
      }
      if (cost != nullptr) arc.weight += *cost;
      arc.nextstate = target;
      out.arcs.push_back(arc);
    }
  };
  for (size_t done = 0; done < queue.size(); done++) {
    const auto [which, state] = queue[done];
    const FstArrays &fst = fsts[which];
    const bool is_final = std::isfinite(fst.finals[state]), is_last = which + 1 == fsts.size();
    if (is_final && !is_last) add_arcs(which + 1, fsts[which + 1].start, &fst.finals[state]);
    add_arcs(which, state, nullptr);
    out.finals.push_back(is_final && is_last ? fst.finals[state] : INFINITY);
    out.offsets.push_back(static_cast<int64_t>(out.arcs.size()));
  }
  return out;
}

}  // namespace kaldi_bridge
