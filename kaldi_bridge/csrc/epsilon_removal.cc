#include "epsilon_removal.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace kaldi_bridge {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr int32_t kRemoved = -1;  // where removed arcs lead to

class LocalRemoval {
 public:
  LocalRemoval(MutableFst &fst, bool in_log) : fst_(fst), in_log_(in_log) {
    const size_t states = fst.arcs.size();
    arcs_in_.assign(states, 0);
    arcs_out_.assign(states, 0);
    arcs_in_[fst.start]++;
    for (size_t s = 0; s < states; s++) {
      arcs_out_[s] += fst.arcs[s].size() + is_final(s);
      for (const FstArc &arc : fst.arcs[s]) arcs_in_[arc.nextstate]++;
    }
    for (size_t s = 0; s < states; s++)
      for (size_t i = 0; i < fst.arcs[s].size(); i++) visit(s, i);  // also arcs that are added on the way
  }

 private:
  bool is_final(int32_t s) const { return fst_.finals[s] != kInfinity; }

  static bool combine(const FstArc &a, const FstArc &b, FstArc *both) {
    if ((a.ilabel && b.ilabel) || (a.olabel && b.olabel)) return false;
    *both = {a.ilabel ? a.ilabel : b.ilabel, a.olabel ? a.olabel : b.olabel, a.weight + b.weight, b.nextstate};
    return true;
  }

  float plus(float a, float b) const {
    if (a == kInfinity) return b;
    if (b == kInfinity) return a;
    const float low = std::min(a, b), difference = std::max(a, b) - low;
    return in_log_ ? static_cast<float>(low - std::log1p(std::exp(-static_cast<double>(difference)))) : low;
  }

  void add_final(int32_t s, float cost) {
    if (!is_final(s)) arcs_out_[s]++;
    fst_.finals[s] = std::min(fst_.finals[s], cost);
  }

  void add_arc(int32_t s, const FstArc &arc) {
    arcs_out_[s]++;
    arcs_in_[arc.nextstate]++;
    fst_.arcs[s].push_back(arc);
  }

  void remove_arc(int32_t s, FstArc &arc) {
    arcs_out_[s]--;
    arcs_in_[arc.nextstate]--;
    arc.nextstate = kRemoved;
  }

  void visit(int32_t s, size_t i) {
    const int32_t next = fst_.arcs[s][i].nextstate;
    if (next == kRemoved || next == s) return;
    if (arcs_in_[next] == 1 && arcs_out_[next] > 1)
      pass_single_entry(s, i);
    else if (arcs_out_[next] == 1)
      pass_single_exit(s, i);
  }

  // Arc i of s is the only one into its next state: those that can follow it start at s instead.
  void pass_single_entry(int32_t s, size_t i) {
    const FstArc arc = fst_.arcs[s][i];
    const int32_t next = arc.nextstate;
    float removed = kInfinity, kept = kInfinity;
    std::vector<FstArc> added;
    for (FstArc &following : fst_.arcs[next]) {
      if (following.nextstate == kRemoved) continue;
      FstArc both;
      if (combine(arc, following, &both)) {
        removed = plus(removed, following.weight);
        remove_arc(next, following);
        added.push_back(both);
      } else {
        kept = plus(kept, following.weight);
      }
    }
    if (is_final(next)) {
      const float cost = fst_.finals[next];
      if (!arc.ilabel && !arc.olabel) {
        removed = plus(removed, cost);
        add_final(s, arc.weight + cost);
        arcs_out_[next]--;
        fst_.finals[next] = kInfinity;
      } else {
        kept = plus(kept, cost);
      }
    }
    if (removed != kInfinity) {
      if (kept == kInfinity)
        remove_arc(s, fst_.arcs[s][i]);
      else
        reweight(s, i, kept - plus(removed, kept));
    }
    for (const FstArc &both : added) add_arc(s, both);
  }

  // Moves a cost from the arcs out of the arc's next state to the arc, so that those still sum to what they did.
  void reweight(int32_t s, size_t i, float cost) {
    FstArc &arc = fst_.arcs[s][i];
    arc.weight += cost;
    for (FstArc &following : fst_.arcs[arc.nextstate])
      if (following.nextstate != kRemoved) following.weight -= cost;
    if (is_final(arc.nextstate)) fst_.finals[arc.nextstate] -= cost;
  }

  // The next state of arc i of s has a single way on, which the arc takes at once.
  void pass_single_exit(int32_t s, size_t i) {
    const FstArc arc = fst_.arcs[s][i];
    const int32_t next = arc.nextstate;
    const bool only_way_in = arcs_in_[next] == 1;
    if (is_final(next)) {
      if (arc.ilabel || arc.olabel) return;
      add_final(s, arc.weight + fst_.finals[next]);
      if (only_way_in) {
        arcs_out_[next]--;
        fst_.finals[next] = kInfinity;
      }
    } else {
      auto following = std::find_if(fst_.arcs[next].begin(), fst_.arcs[next].end(),
                                    [](const FstArc &a) { return a.nextstate != kRemoved; });
      FstArc both;
      if (!combine(arc, *following, &both)) return;
      if (only_way_in) remove_arc(next, *following);
      add_arc(s, both);
    }
    remove_arc(s, fst_.arcs[s][i]);
  }

  MutableFst &fst_;
  const bool in_log_;
  std::vector<int32_t> arcs_in_, arcs_out_;  // being the start, or final, counts as an arc
};

// Marks `states` and what they lead to; `each_next(s, visit)` calls `visit` with the states that s leads to.
template <class EachNext>
std::vector<bool> reachable(std::vector<int32_t> states, size_t count, EachNext each_next) {
  std::vector<bool> seen(count, false);
  for (int32_t s : states) seen[s] = true;
  while (!states.empty()) {
    const int32_t s = states.back();
    states.pop_back();
    each_next(s, [&](int32_t t) {
      if (t == kRemoved || seen[t]) return;
      seen[t] = true;
      states.push_back(t);
    });
  }
  return seen;
}

// Keeps states on a path from the start to an end, in their order.
void connect(MutableFst &fst) {
  const int32_t states = static_cast<int32_t>(fst.arcs.size());
  std::vector<int32_t> ends;
  std::vector<int64_t> first_into(states + 1, 0);  // the arcs into s: into[first_into[s]] to into[first_into[s + 1]]
  for (int32_t s = 0; s < states; s++) {
    if (fst.finals[s] != kInfinity) ends.push_back(s);
    for (const FstArc &arc : fst.arcs[s])
      if (arc.nextstate != kRemoved) first_into[arc.nextstate]++;
  }
  std::partial_sum(first_into.begin(), first_into.end(), first_into.begin());
  std::vector<int32_t> into(first_into[states]);
  for (int32_t s = 0; s < states; s++)
    for (const FstArc &arc : fst.arcs[s])
      if (arc.nextstate != kRemoved) into[--first_into[arc.nextstate]] = s;
  const auto from_start = reachable({fst.start}, states, [&](int32_t s, auto visit) {
    for (const FstArc &arc : fst.arcs[s]) visit(arc.nextstate);
  });
  const auto to_end = reachable(ends, states, [&](int32_t s, auto visit) {
    for (int64_t i = first_into[s]; i < first_into[s + 1]; i++) visit(into[i]);
  });
  std::vector<int32_t> number(states, kRemoved);
  int32_t kept = 0;
  for (int32_t s = 0; s < states; s++)
    if (from_start[s] && to_end[s]) number[s] = kept++;
  for (int32_t s = 0; s < states; s++) {
    if (number[s] == kRemoved) continue;
    std::vector<FstArc> arcs;
    for (FstArc arc : fst.arcs[s]) {
      if (arc.nextstate == kRemoved || number[arc.nextstate] == kRemoved) continue;
      arc.nextstate = number[arc.nextstate];
      arcs.push_back(arc);
    }
    fst.arcs[number[s]] = std::move(arcs);  // number[s] <= s: what is overwritten has been used
    fst.finals[number[s]] = fst.finals[s];
  }
  fst.start = number[fst.start];
  fst.arcs.resize(kept);
  fst.finals.resize(kept);
}

}  // namespace

void remove_epsilons_local(MutableFst &fst, bool in_log) {
  if (fst.start < 0) return;
  LocalRemoval(fst, in_log);
  connect(fst);
}

}  // namespace kaldi_bridge
