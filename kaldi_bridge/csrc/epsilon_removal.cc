#include "epsilon_removal.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kaldi_bridge {
namespace {

constexpr int32_t kRemoved = MutableFst::kNoState;  // where removed arcs lead to

class LocalRemoval {
 public:
  LocalRemoval(MutableFst &fst, const RemovalOptions &options) : fst_(fst), options_(options) {
    const size_t states = fst.arcs.size();
    arcs_in_.assign(states, 0);
    arcs_out_.assign(states, 0);
    fst.properties.state_added();  // OpenFst has a state for removed arcs to lead to
    arcs_in_[fst.start]++;
    for (size_t s = 0; s < states; s++) {
      arcs_out_[s] += fst.arcs[s].size() + fst.is_final(s);
      for (const FstArc &arc : fst.arcs[s]) arcs_in_[arc.nextstate]++;
    }
    for (size_t s = 0; s < states; s++)
      for (size_t i = 0; i < fst.arcs[s].size(); i++) visit(s, i);  // also arcs that are added on the way
  }

 private:
  static bool combine(const FstArc &a, const FstArc &b, FstArc *both) {
    if ((a.ilabel && b.ilabel) || (a.olabel && b.olabel)) return false;
    *both = {a.ilabel ? a.ilabel : b.ilabel, a.olabel ? a.olabel : b.olabel, a.weight + b.weight, b.nextstate};
    return true;
  }

  // In the tropical semiring, which has neither -inf nor what is not a number.
  static float least(float a, float b) {
    if (!(a > -kInfiniteCost && b > -kInfiniteCost)) return std::numeric_limits<float>::quiet_NaN();
    return a < b ? a : b;
  }

  static float plus(float a, float b, bool in_log) {
    if (!in_log) return least(a, b);
    if (a == kInfiniteCost) return b;
    if (b == kInfiniteCost) return a;
    const float low = std::min(a, b), difference = std::max(a, b) - low;
    return static_cast<float>(low - std::log1p(std::exp(-static_cast<double>(difference))));
  }

  void add_final(int32_t s, float cost) {
    if (!fst_.is_final(s)) arcs_out_[s]++;
    fst_.set_final(s, plus(fst_.finals[s], cost, options_.equivalent_in_log));
  }

  void remove_final(int32_t s) {
    arcs_out_[s]--;
    fst_.set_final(s, kInfiniteCost);
  }

  void add_arc(int32_t s, const FstArc &arc) {
    arcs_out_[s]++;
    arcs_in_[arc.nextstate]++;
    fst_.add_arc(s, arc);
  }

  void remove_arc(int32_t s, FstArc &arc) {
    arcs_out_[s]--;
    arcs_in_[arc.nextstate]--;
    fst_.change_arc(arc, {arc.ilabel, arc.olabel, arc.weight, kRemoved});
  }

  void add_cost(FstArc &arc, float cost) {
    fst_.change_arc(arc, {arc.ilabel, arc.olabel, arc.weight + cost, arc.nextstate});
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
    float removed = kInfiniteCost, kept = kInfiniteCost;
    std::vector<FstArc> added;
    for (FstArc &following : fst_.arcs[next]) {
      if (following.nextstate == kRemoved) continue;
      FstArc both;
      if (combine(arc, following, &both)) {
        removed = plus(removed, following.weight, options_.stochastic_in_log);
        remove_arc(next, following);
        added.push_back(both);
      } else {
        kept = plus(kept, following.weight, options_.stochastic_in_log);
      }
    }
    if (fst_.is_final(next)) {
      const float cost = fst_.finals[next];
      if (!arc.ilabel && !arc.olabel) {
        removed = plus(removed, cost, options_.stochastic_in_log);
        add_final(s, arc.weight + cost);
        remove_final(next);
      } else {
        kept = plus(kept, cost, options_.stochastic_in_log);
      }
    }
    if (removed != kInfiniteCost) {
      if (kept == kInfiniteCost)
        remove_arc(s, fst_.arcs[s][i]);
      else
        reweight(s, i, kept - plus(removed, kept, options_.stochastic_in_log));
    }
    for (const FstArc &both : added) add_arc(s, both);
  }

  // Moves a cost from the arcs out of the arc's next state to the arc, so that those still sum to what they did.
  void reweight(int32_t s, size_t i, float cost) {
    FstArc &arc = fst_.arcs[s][i];
    add_cost(arc, cost);
    for (FstArc &following : fst_.arcs[arc.nextstate])
      if (following.nextstate != kRemoved) add_cost(following, -cost);
    if (fst_.is_final(arc.nextstate)) fst_.set_final(arc.nextstate, fst_.finals[arc.nextstate] - cost);
  }

  // The next state of arc i of s has a single way on, which the arc takes at once.
  void pass_single_exit(int32_t s, size_t i) {
    const FstArc arc = fst_.arcs[s][i];
    const int32_t next = arc.nextstate;
    const bool only_way_in = arcs_in_[next] == 1;
    if (fst_.is_final(next)) {
      if (arc.ilabel || arc.olabel) return;
      add_final(s, arc.weight + fst_.finals[next]);
      if (only_way_in) remove_final(next);
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
  const RemovalOptions options_;
  std::vector<int32_t> arcs_in_, arcs_out_;  // being the start, or final, counts as an arc
};

}  // namespace

void remove_epsilons_local(MutableFst &fst, const RemovalOptions &options) {
  if (fst.start < 0) return;
  LocalRemoval(fst, options);
  fst.connect();
}

}  // namespace kaldi_bridge
