#include "self_loops.h"

#include <algorithm>
#include <climits>

#include "pair_numbers.h"

namespace kaldi_bridge {

namespace {

// The transition states on the arcs into, or out of, each state.
struct Span {
  int32_t least = INT32_MAX, most = -1;

  void add(int32_t kind) {
    least = std::min(least, kind);
    most = std::max(most, kind);
  }
  bool is_mixed() const { return least < most; }
};

class Loops {
 public:
  Loops(const FstView &graph, const TransitionStates &states) : graph_(graph), states_(states) {
    made_.start = graph.start;
    made_.arcs.reserve(3 * graph.offsets[graph.num_states]);  // memory is taken where it is used
  }

  PackedFst after_transitions() {
    std::vector<Span> into(graph_.num_states);
    if (graph_.start >= 0) into[graph_.start].add(0);
    for (int64_t i = 0; i < graph_.offsets[graph_.num_states]; i++)
      into[graph_.arcs[i].nextstate].add(kind(graph_.arcs[i].ilabel));
    PairNumbers entries;  // new states: the state that they lead to, and the transition state of the arcs into them
    for (int32_t s = 0; s < graph_.num_states; s++) {
      const int32_t own = into[s].is_mixed() ? 0 : std::max(into[s].most, 0);
      for (const FstArc *arc = graph_.begin(s); arc != graph_.end(s); arc++) {
        FstArc changed = *arc;
        if (into[arc->nextstate].is_mixed() && arc->ilabel != 0)
          changed.nextstate = graph_.num_states + entries.of(arc->nextstate, kind(arc->ilabel));
        add_arc(changed, own);
      }
      end_state(own, graph_.finals[s] + states_.leaving_costs[own]);
    }
    for (size_t i = 0; i < entries.size(); i++) {
      add_arc({0, 0, 0.0f, entries.first(i)}, entries.second(i));
      end_state(entries.second(i), kNoEnd);
    }
    return std::move(made_);
  }

  PackedFst before_transitions() {
    std::vector<FstArc> onward;  // the arc of each new state
    for (int32_t s = 0; s < graph_.num_states; s++) {
      Span out;
      for (const FstArc *arc = graph_.begin(s); arc != graph_.end(s); arc++) out.add(kind(arc->ilabel));
      const bool parted = out.is_mixed() || (out.most > 0 && graph_.finals[s] != kNoEnd);
      const int32_t own = parted ? 0 : std::max(out.most, 0);
      for (const FstArc *arc = graph_.begin(s); arc != graph_.end(s); arc++) {
        FstArc changed = *arc;
        if (parted && arc->ilabel != 0) {
          onward.push_back({arc->ilabel, 0, 0.0f, arc->nextstate});
          changed.ilabel = 0;
          changed.nextstate = graph_.num_states + static_cast<int32_t>(onward.size()) - 1;
        }
        add_arc(changed, own);
      }
      end_state(own, graph_.finals[s]);
    }
    for (const FstArc &arc : onward) {
      add_arc(arc, kind(arc.ilabel));
      end_state(kind(arc.ilabel), kNoEnd);
    }
    return std::move(made_);
  }

 private:
  int32_t kind(int32_t label) const {
    return static_cast<size_t>(label) < states_.of_label.size() ? states_.of_label[label] : 0;
  }
  void add_arc(FstArc arc, int32_t own) {
    arc.weight += states_.leaving_costs[own];
    made_.arcs.push_back(arc);
  }
  void end_state(int32_t own, float final_cost) {
    if (states_.loop_labels[own] != 0)
      made_.arcs.push_back({states_.loop_labels[own], 0, states_.loop_costs[own], made_.num_states()});
    made_.end_state(final_cost);
  }

  const FstView graph_;
  const TransitionStates &states_;
  PackedFst made_;
};

}  // namespace

PackedFst with_self_loops(const FstView &graph, const TransitionStates &states, bool after) {
  Loops loops(graph, states);
  return after ? loops.after_transitions() : loops.before_transitions();
}

}  // namespace kaldi_bridge
