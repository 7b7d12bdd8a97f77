#include "table_composition.h"

#include <algorithm>
#include <utility>

#include "pair_numbers.h"
#include "timed_weight.h"

namespace kaldi_bridge {

namespace {

template <class Weight>
class Composition {
 public:
  Composition(const WeightedFstView<Weight> &first, LabelIndex<Weight> *second, Searched searched)
      : first_(first), second_(second->fst()), searched_(searched), outputs_(first, &Arc::olabel), inputs_(*second) {}

  PackedWeightedFst<Weight> make() {
    if (first_.start < 0 || second_.start < 0) return {};
    made_.start = numbers_.of(first_.start, second_.start, 0);
    for (size_t number = 0; number < numbers_.size(); number++) expand(number);
    made_.connect();
    return std::move(made_);
  }

 private:
  using Arc = WeightedArc<Weight>;

  void expand(size_t number) {
    const int32_t one = numbers_.first(number), other = numbers_.second(number);
    const Arc *begin1 = first_.begin(one), *end1 = first_.end(one);
    const Arc *begin2 = second_.begin(other), *end2 = second_.end(other);
    const int64_t epsilons = num_epsilons(begin1, end1);
    const bool is_final1 = !is_no_end(first_.finals[one]);
    const bool first_waits = epsilons < end1 - begin1 || is_final1;  // it has another way on than epsilons
    const int32_t state_after_epsilon = epsilons == 0 ? 0 : 1;
    const bool epsilons_of_first = !numbers_.after_epsilon(number);
    if (searched_ == Searched::kSecond || (searched_ == Searched::kOneWithMoreArcs && end1 - begin1 <= end2 - begin2)) {
      if (first_waits)
        for (const Arc *arc = begin2; arc != end2 && arc->ilabel == 0; arc++)
          add(0, arc->olabel, arc->weight, one, arc->nextstate, state_after_epsilon);
      for (const Arc *arc = begin1; arc != end1; arc++) {
        if (arc->olabel == 0) {
          if (epsilons_of_first) add(arc->ilabel, 0, arc->weight, arc->nextstate, other, 0);
          continue;
        }
        for (const Arc *match = inputs_.find(other, arc->olabel); match != end2 && match->ilabel == arc->olabel; match++)
          add(arc->ilabel, match->olabel, arc->weight + match->weight, arc->nextstate, match->nextstate, 0);
      }
    } else {
      if (epsilons_of_first)
        for (const Arc *arc = begin1; arc != begin1 + epsilons; arc++)
          add(arc->ilabel, 0, arc->weight, arc->nextstate, other, 0);
      for (const Arc *arc = begin2; arc != end2; arc++) {
        if (arc->ilabel == 0) {
          if (first_waits) add(0, arc->olabel, arc->weight, one, arc->nextstate, state_after_epsilon);
          continue;
        }
        for (const Arc *match = outputs_.find(one, arc->ilabel); match != end1 && match->olabel == arc->ilabel; match++)
          add(match->ilabel, arc->olabel, match->weight + arc->weight, match->nextstate, arc->nextstate, 0);
      }
    }
    const bool is_final = is_final1 && !is_no_end(second_.finals[other]);
    made_.end_state(is_final ? first_.finals[one] + second_.finals[other] : no_end<Weight>());
  }

  // Which come first, where the arcs are sorted.
  int64_t num_epsilons(const Arc *begin, const Arc *end) const {
    const auto is_epsilon = [](const Arc &arc) { return arc.olabel == 0; };
    return searched_ == Searched::kSecond ? std::count_if(begin, end, is_epsilon)
                                          : std::find_if_not(begin, end, is_epsilon) - begin;
  }

  void add(int32_t ilabel, int32_t olabel, const Weight &weight, int32_t one, int32_t other, int32_t after_epsilon) {
    made_.arcs.push_back({ilabel, olabel, weight, numbers_.of(one, other, after_epsilon)});
  }

  const WeightedFstView<Weight> first_, second_;
  const Searched searched_;
  LabelIndex<Weight> outputs_;
  LabelIndex<Weight> &inputs_;
  PairNumbers numbers_;
  PackedWeightedFst<Weight> made_;
};

}  // namespace

template <class Weight>
PackedWeightedFst<Weight> composed(const WeightedFstView<Weight> &first, LabelIndex<Weight> *second, Searched searched) {
  return Composition<Weight>(first, second, searched).make();
}

template PackedFst composed(const FstView &, LabelIndex<float> *, Searched);
template PackedWeightedFst<TimedWeight> composed(const WeightedFstView<TimedWeight> &, LabelIndex<TimedWeight> *, Searched);

}  // namespace kaldi_bridge
