#include "star_determinization.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <stdexcept>
#include <string>

#include "label_strings.h"

namespace kaldi_bridge {

namespace {

template <class Weight>
struct Element {
  int32_t state, string;
  Weight weight;
};

template <class Weight>
struct LabelledElement {
  int32_t label;
  Element<Weight> element;
};

constexpr int32_t kFinalCost = -1;  // in the place of a next state

template <class Weight>
struct StringArc {
  int32_t ilabel, string;
  Weight weight;
  int32_t nextstate;
};

[[noreturn]] void not_functional() { throw std::runtime_error("FST was not functional -> not determinizable"); }

// Subsets of states, each one once.
template <class Weight>
class Subsets {
 public:
  using Elements = std::vector<Element<Weight>>;

  explicit Subsets(float delta) : delta_(delta), heads_(1 << 12, -1) {}

  // The number of a subset, and whether it is a new one.
  std::pair<int32_t, bool> number(const Elements &subset) {
    const uint64_t hash = hash_of(subset);
    const uint32_t mark = static_cast<uint32_t>(hash >> 32);
    for (int32_t n = heads_[hash & (heads_.size() - 1)]; n >= 0; n = entries_[n].next)
      if (entries_[n].mark == mark && is_same(n, subset)) return {n, false};
    const int32_t made = static_cast<int32_t>(entries_.size());
    entries_.push_back({static_cast<int64_t>(elements_.size()), mark, static_cast<uint32_t>(hash), -1});
    elements_.insert(elements_.end(), subset.begin(), subset.end());
    link(made);
    if (entries_.size() > heads_.size()) {
      heads_.assign(2 * heads_.size(), -1);
      for (size_t n = 0; n < entries_.size(); n++) link(static_cast<int32_t>(n));
    }
    return {made, true};
  }

  void get(int32_t number, Elements *subset) const {
    subset->assign(elements_.begin() + entries_[number].begin, elements_.begin() + end(number));
  }

 private:
  struct Entry {
    int64_t begin;
    uint32_t mark, low;  // of the hash
    int32_t next;        // with the same place in heads_
  };

  static uint64_t hash_of(const Elements &subset) {
    uint64_t hash = subset.size();
    for (const Element<Weight> &element : subset) {
      hash ^= static_cast<uint64_t>(static_cast<uint32_t>(element.state)) << 32 | static_cast<uint32_t>(element.string);
      hash *= 0x9E3779B97F4A7C15u;
      hash ^= hash >> 29;
    }
    return hash;
  }
  int64_t end(int32_t number) const {
    return static_cast<size_t>(number) + 1 < entries_.size() ? entries_[number + 1].begin
                                                             : static_cast<int64_t>(elements_.size());
  }
  bool is_same(int32_t number, const Elements &subset) const {
    const int64_t begin = entries_[number].begin;
    if (end(number) - begin != static_cast<int64_t>(subset.size())) return false;
    for (size_t i = 0; i < subset.size(); i++) {
      const Element<Weight> &own = elements_[begin + i], &other = subset[i];
      if (own.state != other.state || own.string != other.string || !about_equal(own.weight, other.weight, delta_))
        return false;
    }
    return true;
  }
  void link(int32_t number) {
    int32_t &head = heads_[entries_[number].low & (heads_.size() - 1)];
    entries_[number].next = head;
    head = number;
  }

  float delta_;
  Elements elements_;
  std::vector<Entry> entries_;
  std::vector<int32_t> heads_;
};

// The states that a subset reaches by epsilons. Costs go on from a state when they are new, and again only when they have
// changed by more than delta.
template <class Semiring>
class Closure {
 public:
  using Weight = typename Semiring::Weight;
  using Elements = std::vector<Element<Weight>>;

  Closure(const WeightedFstView<Weight> &fst, const Semiring &semiring, LabelStrings *strings, const StarOptions &options)
      : fst_(fst), semiring_(semiring), strings_(*strings), options_(options), index_(fst.num_states, 0) {}

  // Adds them to `subset`, in the order of states; it has no state twice.
  void close(Elements *subset) {
    first_.clear();
    for (const Element<Weight> &element : *subset)
      for_each_epsilon(element.state, [&](const Arc &arc) {
        first_.push_back({arc.nextstate, strings_.append(element.string, arc.olabel), element.weight + arc.weight});
      });
    if (first_.empty()) return;
    reached_.clear();
    for (const Element<Weight> &element : *subset) {
      index_[element.state] = reached_.size();
      reached_.push_back({element.state, element.string, Semiring::zero(), element.weight, false});
    }
    for (const Element<Weight> &element : first_) reach(element.state, element.string, element.weight);
    for (int64_t steps = 0; !waiting_.empty(); steps++) {
      Reached &own = reached_[index_[waiting_.front()]];
      waiting_.pop_front();
      const int32_t string = own.string;
      const Weight weight = own.unprocessed;
      own.weight = semiring_.plus(own.weight, weight);
      own.unprocessed = Semiring::zero();
      own.waits = false;
      if (options_.max_states > 0 && steps > options_.max_states)
        throw std::runtime_error("Determinization aborted since looped more than " + std::to_string(options_.max_states) +
                                 " times during epsilon closure");
      for_each_epsilon(own.state, [&](const Arc &arc) {
        reach(arc.nextstate, strings_.append(string, arc.olabel), weight + arc.weight);
      });
    }
    std::sort(reached_.begin(), reached_.end(), [](const Reached &a, const Reached &b) { return a.state < b.state; });
    subset->clear();
    for (const Reached &own : reached_)
      subset->push_back({own.state, own.string, semiring_.plus(own.weight, own.unprocessed)});
  }

 private:
  using Arc = WeightedArc<Weight>;
  struct Reached {
    int32_t state, string;
    Weight weight, unprocessed;  // what has gone on from the state, and what has not
    bool waits;
  };

  template <class F>
  void for_each_epsilon(int32_t state, F f) const {
    for (const Arc *arc = fst_.begin(state), *end = fst_.end(state); arc != end; arc++)
      if (arc->ilabel == 0)
        f(*arc);
      else if (options_.sorted)
        break;
  }

  void reach(int32_t state, int32_t string, const Weight &weight) {
    const size_t index = index_[state];
    if (index >= reached_.size() || reached_[index].state != state) {
      index_[state] = reached_.size();
      reached_.push_back({state, string, Semiring::zero(), weight, true});
      waiting_.push_back(state);
      return;
    }
    Reached &own = reached_[index];
    if (own.string != string) not_functional();
    own.unprocessed = semiring_.plus(own.unprocessed, weight);
    if (!own.waits && !about_equal(semiring_.plus(own.weight, own.unprocessed), own.weight, options_.delta)) {
      own.waits = true;
      waiting_.push_back(state);
    }
  }

  const WeightedFstView<Weight> fst_;
  const Semiring semiring_;
  LabelStrings &strings_;
  const StarOptions options_;
  std::vector<uint32_t> index_;  // of states in reached_; of no meaning where another state stands there
  std::vector<Reached> reached_;
  Elements first_;
  std::deque<int32_t> waiting_;
};

template <class Semiring>
class StarDeterminization {
 public:
  using Weight = typename Semiring::Weight;
  using Elements = std::vector<Element<Weight>>;

  StarDeterminization(const WeightedFstView<Weight> &fst, const Semiring &semiring, const StarOptions &options)
      : fst_(fst), semiring_(semiring), options_(options), subsets_(options.delta), closure_(fst, semiring, &strings_, options) {}

  PackedWeightedFst<Weight> make() {
    if (fst_.start < 0) return {};
    Elements subset = {{fst_.start, 0, Semiring::one()}};
    number(subset);
    while (!waiting_.empty()) {
      const int32_t state = take_waiting();
      subsets_.get(state, &subset);
      closure_.close(&subset);
      ranges_[state].begin = static_cast<int64_t>(arcs_.size());
      add_final_cost(subset);
      add_arcs(subset);
      ranges_[state].end = static_cast<int64_t>(arcs_.size());
      if (options_.max_states <= 0 || static_cast<int64_t>(ranges_.size()) <= options_.max_states) continue;
      if (!options_.allow_partial)
        throw std::runtime_error("Determinization aborted since passed " + std::to_string(options_.max_states) + " states");
      is_partial_ = true;
      break;
    }
    subsets_ = Subsets<Weight>(options_.delta);
    return with_chains();
  }
  bool is_partial() const { return is_partial_; }

 private:
  using Arc = WeightedArc<Weight>;
  struct Range {
    int64_t begin, end;
  };

  // Breadth first where the result may be a part, which then has what is nearest to the start.
  int32_t take_waiting() {
    const int32_t state = options_.allow_partial ? waiting_.front() : waiting_.back();
    if (options_.allow_partial)
      waiting_.pop_front();
    else
      waiting_.pop_back();
    return state;
  }

  int32_t number(const Elements &subset) {
    const auto [state, is_new] = subsets_.number(subset);
    if (is_new) {
      ranges_.push_back({0, 0});
      waiting_.push_back(state);
    }
    return state;
  }

  void add_final_cost(const Elements &subset) {
    bool is_final = false;
    StringArc<Weight> made = {0, 0, Semiring::one(), kFinalCost};
    for (const Element<Weight> &element : subset) {
      if (is_no_end(fst_.finals[element.state])) continue;
      const Weight cost = element.weight + fst_.finals[element.state];
      if (is_final && made.string != element.string) not_functional();
      made.string = element.string;
      made.weight = is_final ? semiring_.plus(made.weight, cost) : cost;
      is_final = true;
    }
    if (is_final) arcs_.push_back(made);
  }

  void add_arcs(const Elements &subset) {
    following_.clear();
    for (const Element<Weight> &element : subset)
      for (const Arc *arc = fst_.begin(element.state), *end = fst_.end(element.state); arc != end; arc++)
        if (arc->ilabel != 0)
          following_.push_back({arc->ilabel,
                                {arc->nextstate, strings_.append(element.string, arc->olabel), element.weight + arc->weight}});
    std::sort(following_.begin(), following_.end(), [](const LabelledElement<Weight> &a, const LabelledElement<Weight> &b) {
      return a.label != b.label ? a.label < b.label : a.element.state < b.element.state;
    });
    for (auto from = following_.begin(); from != following_.end();) {
      const int32_t label = from->label;
      target_.clear();
      for (; from != following_.end() && from->label == label; ++from) {
        if (target_.empty() || target_.back().state != from->element.state) {
          target_.push_back(from->element);
          continue;
        }
        if (target_.back().string != from->element.string) not_functional();
        target_.back().weight = semiring_.plus(target_.back().weight, from->element.weight);
      }
      add_arc(label);
    }
  }

  // To target_, less what its elements have in common.
  void add_arc(int32_t label) {
    Weight total = target_[0].weight;
    for (size_t i = 1; i < target_.size(); i++) total = semiring_.plus(total, target_[i].weight);
    for (Element<Weight> &element : target_) element.weight = element.weight - total;
    int32_t prefix = target_[0].string;
    if (target_.size() == 1)
      target_[0].string = 0;
    else if (std::any_of(target_.begin(), target_.end(), [](const Element<Weight> &e) { return e.string != 0; }))
      prefix = strings_.take_common_prefix(&target_);
    const int32_t next = number(target_);
    arcs_.push_back({label, prefix, total, next});
  }

  // Strings of more than one label, and all those of final costs, go to arcs of new states.
  PackedWeightedFst<Weight> with_chains() {
    PackedWeightedFst<Weight> made;
    made.start = 0;
    int64_t added = 0;
    for (const StringArc<Weight> &arc : arcs_) {
      const int32_t length = strings_.length(arc.string);
      added += arc.nextstate == kFinalCost ? length : std::max(0, length - 1);
    }
    const int64_t states = static_cast<int64_t>(ranges_.size()) + added;
    if (states > INT32_MAX) throw std::runtime_error("Determinization makes too many states");
    made.finals.reserve(states);
    made.offsets.reserve(states + 1);
    made.arcs.reserve(arcs_.size() + added);
    std::vector<Arc> chains;  // the one arc of each new state; without next state: the last of a final cost
    int32_t next_new = static_cast<int32_t>(ranges_.size());
    for (const Range &range : ranges_) {
      Weight final_cost = Semiring::zero();
      for (int64_t i = range.begin; i < range.end; i++) {
        const StringArc<Weight> &arc = arcs_[i];
        const std::vector<int32_t> labels = strings_.to_vector(arc.string);
        const bool is_final = arc.nextstate == kFinalCost;
        if (is_final && labels.empty()) {
          final_cost = arc.weight;
          continue;
        }
        const size_t arcs = std::max<size_t>(labels.size(), 1);
        for (size_t k = 0; k < arcs; k++) {
          const bool leads_on = k + 1 < arcs || is_final;
          const Arc own = {k == 0 ? arc.ilabel : 0, labels.empty() ? 0 : labels[k], k == 0 ? arc.weight : Semiring::one(),
                           leads_on ? next_new++ : arc.nextstate};
          if (k == 0)
            made.arcs.push_back(own);
          else
            chains.push_back(own);
        }
        if (is_final) chains.push_back({0, 0, Semiring::one(), kFinalCost});
      }
      made.end_state(final_cost);
    }
    arcs_ = {};
    for (const Arc &arc : chains) {
      if (arc.nextstate != kFinalCost) made.arcs.push_back(arc);
      made.end_state(arc.nextstate == kFinalCost ? Semiring::one() : Semiring::zero());
    }
    return made;
  }

  const WeightedFstView<Weight> fst_;
  const Semiring semiring_;
  const StarOptions options_;
  LabelStrings strings_;
  Subsets<Weight> subsets_;
  Closure<Semiring> closure_;
  bool is_partial_ = false;
  std::deque<int32_t> waiting_;
  std::vector<Range> ranges_;  // in arcs_, by state
  std::vector<StringArc<Weight>> arcs_;
  std::vector<LabelledElement<Weight>> following_;
  Elements target_;
};

}  // namespace

template <class Semiring>
PackedWeightedFst<typename Semiring::Weight> star_determinized(const WeightedFstView<typename Semiring::Weight> &fst,
                                                               const Semiring &semiring, const StarOptions &options,
                                                               bool *is_partial) {
  StarDeterminization<Semiring> determinization(fst, semiring, options);
  auto made = determinization.make();
  if (is_partial) *is_partial = determinization.is_partial();
  return made;
}

template PackedFst star_determinized(const FstView &, const CostSemiring &, const StarOptions &, bool *);
template PackedWeightedFst<TimedWeight> star_determinized(const WeightedFstView<TimedWeight> &, const FactorSemiring &,
                                                          const StarOptions &, bool *);
template PackedWeightedFst<TimedWeight> star_determinized(const WeightedFstView<TimedWeight> &, const IndexSemiring &,
                                                          const StarOptions &, bool *);

void sort_for_determinization(int32_t num_states, const int64_t *offsets, FstArc *arcs, bool in_log) {
  // Kaldi sorts once more for the log semiring: that can change the order of arcs with the same label, and so sums.
  for (int round = 0; round < (in_log ? 2 : 1); round++)
    for (int32_t s = 0; s < num_states; s++)
      std::sort(arcs + offsets[s], arcs + offsets[s + 1], by_input<FstArc>);
}

}  // namespace kaldi_bridge
