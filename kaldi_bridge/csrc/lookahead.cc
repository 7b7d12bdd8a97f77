#include "lookahead.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <unordered_set>

#include "components.h"

namespace kaldi_bridge {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr int64_t kMany = 20, kPeriod = 10;  // of arcs

// -log(exp(-a) + exp(-b)), for finite numbers.
double log_plus(double a, double b) {
  const double difference = std::fabs(a - b);
  return std::min(a, b) - (difference == kInfinite ? 0.0 : std::log(1.0 + std::exp(-difference)));
}

float log_plus(float a, float b) {
  return a == kInf ? b : static_cast<float>(log_plus(static_cast<double>(a), static_cast<double>(b)));
}

// -log(exp(-a) - exp(-b)), where a < b.
double log_minus(double a, double b) { return b == kInfinite ? a : a - std::log(1.0 - std::exp(-(b - a))); }

// The first arc with this output label or a larger one.
const FstArc *first_with(const FstArc *begin, const FstArc *end, int32_t label) {
  return std::lower_bound(begin, end, label, [](const FstArc &arc, int32_t l) { return arc.olabel < l; });
}

}  // namespace

Grammar::Grammar(const FstView &fst)
    : start_(fst.start), finals_(fst.finals, fst.finals + fst.num_states), offsets_(fst.offsets, fst.offsets + fst.num_states + 1) {
  const int64_t count = offsets_.back();
  for (auto *numbers : {&labels_, &next_}) numbers->resize(count);
  costs_.resize(count);
  bool acceptor = true;
  for (int32_t s = 0; s < num_states(); s++) {
    for (int64_t i = begin(s); i < end(s); i++) {
      const FstArc &arc = fst.arcs[i];
      if (i > begin(s) && arc.ilabel < labels_[i - 1])
        throw std::invalid_argument("the grammar is not sorted by input label: sort it with fstarcsort");
      labels_[i] = arc.ilabel;
      costs_[i] = arc.weight;
      next_[i] = arc.nextstate;
      acceptor = acceptor && arc.ilabel == arc.olabel;
    }
  }
  if (!acceptor) {
    outputs_.resize(count);
    for (int64_t i = 0; i < count; i++) outputs_[i] = fst.arcs[i].olabel;
  }
  sum_costs();
}

void Grammar::sum_costs() {
  where_.assign(num_states(), -1);
  for (int32_t s = 0; s < num_states(); s++) {
    if (end(s) - begin(s) < kMany) continue;
    where_[s] = static_cast<int64_t>(sums_.size());
    double sum = kInfinite;
    sums_.push_back(sum);
    for (int64_t i = begin(s); i < end(s); i++) {
      sum = sum == kInfinite ? costs_[i] : log_plus(sum, costs_[i]);
      if ((i - begin(s) + 1) % kPeriod == 0) sums_.push_back(sum);
    }
  }
}

int64_t Grammar::lower_bound(int64_t first, int64_t last, int32_t label) const {
  return std::lower_bound(labels_.begin() + first, labels_.begin() + last, label) - labels_.begin();
}

float Grammar::log_sum(float sum, int32_t state, int64_t first, int64_t last) const {
  const auto add_each = [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++) sum = log_plus(sum, costs_[i]);
  };
  if (where_[state] < 0) {
    add_each(first, last);
    return sum;
  }
  // Between the summed places, in the middle, there is a difference of two sums.
  const int64_t base = begin(state), low = (first - base + kPeriod - 1) / kPeriod, high = (last - base) / kPeriod;
  const int64_t middle = base + low * kPeriod, middle_end = base + high * kPeriod;
  add_each(first, std::min(middle, last));
  if (low < high) {
    const double to_high = sums_[where_[state] + high], to_low = sums_[where_[state] + low];
    if (to_high < to_low) sum = log_plus(sum, static_cast<float>(log_minus(to_high, to_low)));
  }
  add_each(std::max(middle, middle_end), last);
  return sum;
}

bool Grammar::has_cycle_of(const std::vector<int32_t> &labels) const {
  const std::unordered_set<int32_t> wanted(labels.begin(), labels.end());
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> targets;
  for (int32_t s = 0; s < num_states(); s++) {
    for (int64_t i = begin(s); i < end(s); i++)
      if (labels_[i] == 0 || wanted.count(labels_[i]) != 0) targets.push_back(next_[i]);
    offsets.push_back(static_cast<int64_t>(targets.size()));
  }
  const auto next = [&](int64_t arc) { return targets[arc]; };
  return Components(start_, num_states(), offsets.data(), next, [](int32_t) { return true; }).cyclic;
}

int32_t LookaheadComposition::start() {
  if (lexicon_.start < 0 || grammar_.start() < 0) return -1;
  return number({lexicon_.start, grammar_.start(), 0.0f, kNoLabel, 0});
}

float LookaheadComposition::final(int32_t state) const {
  const State &s = states_[state];
  if (s.label != kNoLabel || lexicon_.finals[s.a] == kInf) return kInf;
  return lexicon_.finals[s.a] - s.paid + grammar_.final(s.b);
}

void LookaheadComposition::unfold(int32_t state, std::vector<FstArc> *arcs) {
  arcs->clear();
  arcs_ = arcs;
  const State from = states_[state];  // a copy: states_ grows
  if (from.label != kNoLabel) {
    unfold_with_label(from);
    return;
  }
  const FstArc *a = lexicon_.arcs + lexicon_.offsets[from.a], *a_end = lexicon_.arcs + lexicon_.offsets[from.a + 1];
  const int64_t b = grammar_.begin(from.b), b_end = grammar_.end(from.b), b_words = grammar_.end_of_epsilons(from.b);
  const FstArc *a_words = first_with(a, a_end, 1);
  const bool only_epsilons = b_words == b_end && grammar_.final(from.b) == kInf;  // then A waits for B
  const auto follow_a = [&] {
    if (only_epsilons) return;
    for (const FstArc *arc = a; arc != a_words; ++arc) follow_lexicon(from, *arc, b_words != b);
  };
  const auto follow_b = [&] {
    for (int64_t arc = b; arc < b_words && from.waits == 0; arc++) follow_grammar(from, arc);
  };
  if (a_end - a <= b_end - b) {  // each arc of A looks for those of B
    follow_b();
    follow_a();
    int64_t place = b_words;
    for (const FstArc *arc = a_words; arc != a_end; ++arc) {
      place = grammar_.lower_bound(place, b_end, arc->olabel);
      for (int64_t i = place; i < b_end && grammar_.label(i) == arc->olabel; i++) follow_both(from, *arc, i);
    }
  } else {
    follow_a();
    follow_b();
    const FstArc *place = a_words;
    for (int64_t i = b_words; i < b_end; i++) {
      place = first_with(place, a_end, grammar_.label(i));
      for (const FstArc *arc = place; arc != a_end && arc->olabel == grammar_.label(i); ++arc) follow_both(from, *arc, i);
    }
  }
}

void LookaheadComposition::unfold_with_label(const State &from) {
  const FstArc *a = lexicon_.arcs + lexicon_.offsets[from.a], *a_end = lexicon_.arcs + lexicon_.offsets[from.a + 1];
  const auto follow_each = [&](int32_t label) {
    const FstArc *arc = first_with(a, a_end, label);
    for (; arc != a_end && arc->olabel == label; ++arc) follow_label(from, *arc);
  };
  const bool epsilons_first = a_end - a <= grammar_.end(from.b) - grammar_.begin(from.b);
  follow_each(epsilons_first ? 0 : from.label);
  follow_each(epsilons_first ? from.label : 0);
}

void LookaheadComposition::follow_label(const State &from, const FstArc &arc) {
  State next = from;
  next.a = arc.nextstate;
  if (arc.olabel != 0) {  // A says it now, too
    next.label = kNoLabel;
    next.waits = 0;
    next.paid = 0.0f;
  } else if (lexicon_.offsets[from.a + 1] - lexicon_.offsets[from.a] > 1 && !reachable_.reaches(arc.nextstate, from.label)) {
    return;
  }
  add(arc.ilabel, 0, arc.weight, next);
}

void LookaheadComposition::follow_lexicon(const State &from, const FstArc &arc, int32_t waits) {
  const Ahead ahead = look_ahead(arc.nextstate, from.b);
  if (!ahead.possible) return;
  if (ahead.arc >= 0) {
    const float cost = -from.paid + grammar_.cost(ahead.arc);
    add(arc.ilabel, grammar_.output(ahead.arc), arc.weight + cost,
        {arc.nextstate, grammar_.next(ahead.arc), 0.0f, grammar_.label(ahead.arc), waits});
    return;
  }
  const float paid = rounded_ ? std::floor(ahead.cost * 1024.0f + 0.5f) / 1024.0f : ahead.cost;
  add(arc.ilabel, 0, arc.weight + (ahead.cost - from.paid), {arc.nextstate, from.b, paid, kNoLabel, waits});
}

void LookaheadComposition::follow_grammar(const State &from, int64_t arc) {
  add(0, grammar_.output(arc), grammar_.cost(arc) - from.paid, {from.a, grammar_.next(arc), 0.0f, kNoLabel, 0});
}

void LookaheadComposition::follow_both(const State &from, const FstArc &arc, int64_t grammar_arc) {
  add(arc.ilabel, grammar_.output(grammar_arc), arc.weight + (grammar_.cost(grammar_arc) - from.paid),
      {arc.nextstate, grammar_.next(grammar_arc), 0.0f, kNoLabel, 0});
}

LookaheadComposition::Ahead LookaheadComposition::look_ahead(int32_t a, int32_t b) const {
  const int64_t begin = grammar_.begin(b), end = grammar_.end(b);
  const Interval *interval = reachable_.begin(a), *last = reachable_.end(a);
  int64_t first = -1, after = -1;  // of the arcs that are possible
  float sum = kInf;
  const auto take = [&](int64_t from, int64_t to) {
    if (first < 0) first = from;
    after = to;
    sum = grammar_.log_sum(sum, b, from, to);
  };
  if (2 * (end - begin) < last - interval) {
    for (int64_t i = begin; i < end; i++)
      if (grammar_.label(i) != 0 && reachable_.reaches(a, grammar_.label(i))) {
        if (first < 0) first = i;
        after = i + 1;
        sum = log_plus(sum, grammar_.cost(i));
      }
  } else {
    for (int64_t low, high = begin; interval != last; ++interval) {
      low = grammar_.lower_bound(high, end, interval->begin);
      high = grammar_.lower_bound(low, end, interval->end);
      if (low < high) take(low, high);
    }
  }
  const bool can_end = grammar_.final(b) != kInf && reachable_.reaches(a, reachable_.final_label);
  Ahead ahead;
  ahead.possible = first >= 0 || can_end;
  if (first >= 0 && after - first == 1 && !can_end) {
    ahead.arc = first;
    return ahead;
  }
  ahead.cost = can_end ? std::min(sum, grammar_.final(b)) : sum;
  ahead.possible = ahead.possible && ahead.cost != kInf;
  return ahead;
}

size_t LookaheadComposition::bucket(const State &state) const {
  uint32_t paid;
  std::memcpy(&paid, &state.paid, sizeof paid);
  uint64_t hash = static_cast<uint32_t>(state.a) * 0x9E3779B97F4A7C15u;
  for (const uint32_t part : {static_cast<uint32_t>(state.b), paid, static_cast<uint32_t>(2 * state.label + state.waits)})
    hash = (hash ^ (hash >> 29) ^ part) * 0xBF58476D1CE4E5B9u;
  const size_t mask = buckets_.size() - 1;
  size_t i = (hash >> 20) & mask;
  while (buckets_[i] >= 0 && !(states_[buckets_[i]] == state)) i = (i + 1) & mask;
  return i;
}

void LookaheadComposition::grow() {
  buckets_.assign(std::max<size_t>(1 << 10, 2 * buckets_.size()), -1);
  for (int32_t s = 0; s < num_states(); s++) buckets_[bucket(states_[s])] = s;
}

int32_t LookaheadComposition::number(const State &state) {
  if (2 * states_.size() >= buckets_.size()) grow();
  int32_t &place = buckets_[bucket(state)];
  if (place < 0) {
    if (states_.size() >= static_cast<size_t>(std::numeric_limits<int32_t>::max()))
      throw std::length_error("the composed graph has too many states");
    place = num_states();
    states_.push_back(state);
  }
  return place;
}

}  // namespace kaldi_bridge
