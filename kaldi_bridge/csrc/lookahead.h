// Composition of two transducers, state by state, that looks ahead (fst/compose.h, fst/lookahead-filter.h).
//
// The first one, A, is a lexicon whose words come late on its paths; the second one, B, a grammar. Without looking ahead,
// a state (a, b) is made for words that B does not allow after b, and what B says of a word's cost comes as late as the
// word. So for each arc of A without output label, to a state a' that reaches the labels R(a'):
//  - it is left out where b has no arc with a label of R(a'), and cannot end where a' can end;
//  - where b has one such arc, it is taken at once: its label l and cost go forward (the state remembers l, until A has it);
//  - else the cost of all such arcs of b together, -log sum exp(-cost), goes forward (the state remembers what has been
//    paid, and pays the difference next).
// So a state is (a, b, what was paid, l). Arcs of B without label are taken before those of A (`waits` tells that they
// were passed by), so that each pair of paths is there once.

#pragma once

#include <cstdint>
#include <vector>

#include "label_reachable.h"
#include "packed_fst.h"

namespace kaldi_bridge {

// B: arcs sorted by input label, in arrays; with sums of the costs of many arcs.
class Grammar {
 public:
  // Throws std::invalid_argument where arcs are not sorted.
  explicit Grammar(const FstView &fst);

  int32_t start() const { return start_; }
  int32_t num_states() const { return static_cast<int32_t>(finals_.size()); }
  float final(int32_t state) const { return finals_[state]; }
  int64_t begin(int32_t state) const { return offsets_[state]; }
  int64_t end(int32_t state) const { return offsets_[state + 1]; }
  int64_t end_of_epsilons(int32_t state) const { return lower_bound(begin(state), end(state), 1); }
  int32_t label(int64_t arc) const { return labels_[arc]; }
  int32_t output(int64_t arc) const { return outputs_.empty() ? labels_[arc] : outputs_[arc]; }
  float cost(int64_t arc) const { return costs_[arc]; }
  int32_t next(int64_t arc) const { return next_[arc]; }
  // The first arc from `first` on with this label or a larger one.
  int64_t lower_bound(int64_t first, int64_t last, int32_t label) const;
  // `sum` and the costs of these arcs of a state, -log sum exp(-cost).
  float log_sum(float sum, int32_t state, int64_t first, int64_t last) const;

  // Whether there is a cycle of arcs that have no label, or one of these.
  bool has_cycle_of(const std::vector<int32_t> &labels) const;

 private:
  void sum_costs();

  int32_t start_;
  std::vector<float> finals_, costs_;
  std::vector<int64_t> offsets_;
  std::vector<int32_t> labels_, outputs_, next_;  // outputs: empty where they are the labels
  // Of states with many arcs, the sum of the first 0, 10, 20, ... costs: from sums_[where_[state]] on; -1: of few.
  std::vector<double> sums_;
  std::vector<int64_t> where_;
};

class LookaheadComposition {
 public:
  // A's arcs are sorted by output label, which is not checked here. All must outlive this.
  // `rounded`: what a state remembers to have been paid is rounded to 1/1024, as in OpenFst.
  LookaheadComposition(const FstView &lexicon, const ReachableLabels &reachable, const Grammar &grammar, bool rounded)
      : lexicon_(lexicon), reachable_(reachable), grammar_(grammar), rounded_(rounded) {}

  // States have numbers in the order in which they are met. -1: there is nothing.
  int32_t start();
  int32_t num_states() const { return static_cast<int32_t>(states_.size()); }
  float final(int32_t state) const;
  // The arcs of a state in OpenFst's order, in the place of what was there.
  void unfold(int32_t state, std::vector<FstArc> *arcs);

 private:
  static constexpr int32_t kNoLabel = ReachableLabels::kNoLabel;
  struct State {
    int32_t a, b;
    float paid;
    int32_t label;  // that B has said, and A has not
    int32_t waits;  // whether A went on where B could have, without label
    bool operator==(const State &other) const {
      return a == other.a && b == other.b && paid == other.paid && label == other.label && waits == other.waits;
    }
  };
  struct Ahead {
    bool possible = false;
    float cost = 0.0f;
    int64_t arc = -1;  // the only one that is possible
  };

  Ahead look_ahead(int32_t a, int32_t b) const;
  void follow_lexicon(const State &from, const FstArc &arc, int32_t waits);
  void follow_label(const State &from, const FstArc &arc);
  void follow_grammar(const State &from, int64_t arc);
  void follow_both(const State &from, const FstArc &arc, int64_t grammar_arc);
  void unfold_with_label(const State &from);
  void add(int32_t ilabel, int32_t olabel, float cost, const State &next) {
    arcs_->push_back({ilabel, olabel, cost, number(next)});
  }

  int32_t number(const State &state);
  size_t bucket(const State &state) const;
  void grow();

  const FstView &lexicon_;
  const ReachableLabels &reachable_;
  const Grammar &grammar_;
  const bool rounded_;
  std::vector<State> states_;
  std::vector<int32_t> buckets_;  // numbers of states, open addressing; -1: free
  std::vector<FstArc> *arcs_ = nullptr;
};

}  // namespace kaldi_bridge
