#include "table_composition.h"

#include <algorithm>
#include <utility>

#include "pair_numbers.h"

namespace kaldi_bridge {

namespace {

// Where a state's arcs with a label begin: by a table for states that have an arc for many of the labels, else by search.
class LabelIndex {
 public:
  LabelIndex(const FstView &fst, int32_t FstArc::*label) : fst_(fst), label_(label), tables_(fst.num_states, kUnknown) {}

  // The first such arc, or, without any, one of another label or the end.
  const FstArc *find(int32_t state, int32_t label) {
    if (tables_[state] == kUnknown) tables_[state] = make(state);
    if (tables_[state] == kNone)
      return std::lower_bound(fst_.begin(state), fst_.end(state), label,
                              [this](const FstArc &arc, int32_t wanted) { return arc.*label_ < wanted; });
    const std::vector<int32_t> &table = made_[tables_[state]];
    if (static_cast<size_t>(label) >= table.size() || table[label] < 0) return fst_.end(state);
    return fst_.begin(state) + table[label];
  }

 private:
  static constexpr int32_t kUnknown = -2, kNone = -1;
  static constexpr int64_t kLeastArcs = 16, kMostPlacesPerArc = 4;

  int32_t make(int32_t state) {
    const int64_t count = fst_.end(state) - fst_.begin(state);
    if (count < kLeastArcs || fst_.end(state)[-1].*label_ >= kMostPlacesPerArc * count) return kNone;
    std::vector<int32_t> table(fst_.end(state)[-1].*label_ + 1, -1);
    for (int64_t i = count; i-- > 0;) table[fst_.begin(state)[i].*label_] = static_cast<int32_t>(i);
    made_.push_back(std::move(table));
    return static_cast<int32_t>(made_.size()) - 1;
  }

  const FstView fst_;
  int32_t FstArc::*const label_;
  std::vector<int32_t> tables_;  // by state: a number in made_, or one of the above
  std::vector<std::vector<int32_t>> made_;
};

class Composition {
 public:
  Composition(const FstView &first, const FstView &second, bool sorted)
      : first_(first), second_(second), sorted_(sorted), outputs_(first, &FstArc::olabel), inputs_(second, &FstArc::ilabel) {}

  PackedFst make() {
    if (first_.start < 0 || second_.start < 0) return {};
    made_.start = numbers_.of(first_.start, second_.start, 0);
    for (size_t number = 0; number < numbers_.size(); number++) expand(number);
    made_.connect();
    return std::move(made_);
  }

 private:
  void expand(size_t number) {
    const int32_t one = numbers_.first(number), other = numbers_.second(number);
    const FstArc *begin1 = first_.begin(one), *end1 = first_.end(one);
    const FstArc *begin2 = second_.begin(other), *end2 = second_.end(other);
    const FstArc *after_epsilons = begin1;
    while (after_epsilons != end1 && after_epsilons->olabel == 0) after_epsilons++;
    const bool is_final1 = first_.finals[one] != kNoEnd;
    const bool first_waits = after_epsilons != end1 || is_final1;  // it has another way on than epsilons
    const int32_t state_after_epsilon = after_epsilons == begin1 ? 0 : 1;
    const bool epsilons_of_first = !numbers_.after_epsilon(number);
    if (sorted_ && end1 - begin1 <= end2 - begin2) {
      if (first_waits)
        for (const FstArc *arc = begin2; arc != end2 && arc->ilabel == 0; arc++)
          add(0, arc->olabel, arc->weight, one, arc->nextstate, state_after_epsilon);
      for (const FstArc *arc = begin1; arc != end1; arc++) {
        if (arc->olabel == 0) {
          if (epsilons_of_first) add(arc->ilabel, 0, arc->weight, arc->nextstate, other, 0);
          continue;
        }
        for (const FstArc *match = inputs_.find(other, arc->olabel); match != end2 && match->ilabel == arc->olabel; match++)
          add(arc->ilabel, match->olabel, arc->weight + match->weight, arc->nextstate, match->nextstate, 0);
      }
    } else {
      if (epsilons_of_first)
        for (const FstArc *arc = begin1; arc != after_epsilons; arc++)
          add(arc->ilabel, 0, arc->weight, arc->nextstate, other, 0);
      for (const FstArc *arc = begin2; arc != end2; arc++) {
        if (arc->ilabel == 0) {
          if (first_waits) add(0, arc->olabel, arc->weight, one, arc->nextstate, state_after_epsilon);
          continue;
        }
        for (const FstArc *match = outputs_.find(one, arc->ilabel); match != end1 && match->olabel == arc->ilabel; match++)
          add(match->ilabel, arc->olabel, match->weight + arc->weight, match->nextstate, arc->nextstate, 0);
      }
    }
    made_.end_state(is_final1 ? first_.finals[one] + second_.finals[other] : kNoEnd);
  }

  void add(int32_t ilabel, int32_t olabel, float weight, int32_t one, int32_t other, int32_t after_epsilon) {
    made_.arcs.push_back({ilabel, olabel, weight, numbers_.of(one, other, after_epsilon)});
  }

  const FstView first_, second_;
  const bool sorted_;
  LabelIndex outputs_, inputs_;
  PairNumbers numbers_;
  PackedFst made_;
};

}  // namespace

PackedFst composed(const FstView &first, const FstView &second, bool sorted) {
  return Composition(first, second, sorted).make();
}

}  // namespace kaldi_bridge
