#include "context_composition.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "pair_numbers.h"

namespace kaldi_bridge {

namespace {

using Phones = std::vector<int32_t>;

// The last phones that were read, and which label comes with the next one.
class Contexts {
 public:
  struct Step {
    int32_t label, context;  // context: after it; -1 where the symbol cannot come
  };

  Contexts(const std::vector<int32_t> &disambig, int32_t end, int32_t width, int32_t central)
      : width_(width), central_(central), end_(end), is_disambig_(end + 1, 0) {
    for (const int32_t symbol : disambig) is_disambig_[symbol] = 1;
    number({}, &label_of_, &labels_);
    number(Phones(width - 1, 0), &context_of_, &contexts_);
    if (central + 1 < width && !disambig.empty()) waiting_label_ = number({0}, &label_of_, &labels_);
  }

  bool may_end(int32_t context) const { return central_ + 1 == width_ || contexts_[context][central_] == end_; }

  // `symbol`: a phone, a disambiguation symbol or `end`, which comes once for each phone to the right of the central one.
  Step step(int32_t context, int32_t symbol) {
    const uint64_t key = static_cast<uint64_t>(context) << 32 | static_cast<uint32_t>(symbol);
    const auto found = steps_.find(key);
    if (found != steps_.end()) return found->second;
    const Step made = make(context, symbol);
    steps_.emplace(key, made);
    return made;
  }

  std::vector<Phones> take_labels() { return std::move(labels_); }

 private:
  Step make(int32_t context, int32_t symbol) {
    if (is_disambig_[symbol]) return {number({-symbol}, &label_of_, &labels_), context};
    Phones window = contexts_[context];
    if (symbol == end_ ? may_end(context) : !window.empty() && window.back() == end_) return {0, -1};
    window.push_back(symbol);
    const int32_t next = number({window.begin() + 1, window.end()}, &context_of_, &contexts_);
    std::replace(window.begin() + central_ + 1, window.end(), end_, 0);
    return {window[central_] == 0 ? waiting_label_ : number(window, &label_of_, &labels_), next};
  }

  static int32_t number(const Phones &phones, std::map<Phones, int32_t> *of, std::vector<Phones> *all) {
    const auto found = of->emplace(phones, static_cast<int32_t>(of->size()));
    if (found.second) all->push_back(phones);
    return found.first->second;
  }

  const int32_t width_, central_, end_;
  int32_t waiting_label_ = 0;
  std::vector<char> is_disambig_;
  std::map<Phones, int32_t> label_of_, context_of_;
  std::vector<Phones> labels_, contexts_;
  std::unordered_map<uint64_t, Step> steps_;
};

}  // namespace

InContext in_context(const FstView &fst, const std::vector<int32_t> &disambig, int32_t width, int32_t central,
                     int32_t end_symbol) {
  int32_t end = 1;  // a symbol that is not in use
  for (const int32_t symbol : disambig) end = std::max(end, symbol + 1);
  for (int64_t i = 0; i < fst.offsets[fst.num_states]; i++) end = std::max(end, fst.arcs[i].ilabel + 1);
  if (end_symbol > 0) {
    if (end > end_symbol + 1) throw std::invalid_argument("a label is larger than the symbol for the end");
    end = end_symbol;
  }
  Contexts contexts(disambig, end, width, central);
  const bool reads_end = central + 1 < width && end_symbol == 0;
  const int32_t after_end = fst.num_states;  // the state where only `end` is read
  PairNumbers numbers;
  InContext made;
  if (fst.start >= 0) made.fst.start = numbers.of(0, fst.start);
  const auto add = [&](int32_t context, int32_t symbol, int32_t olabel, float cost, int32_t next) {
    const Contexts::Step step = symbol == 0 ? Contexts::Step{0, context} : contexts.step(context, symbol);
    if (step.context >= 0) made.fst.arcs.push_back({step.label, olabel, cost, numbers.of(step.context, next)});
  };
  for (size_t number = 0; number < numbers.size(); number++) {
    const int32_t context = numbers.first(number), state = numbers.second(number);
    const float final_cost = state == after_end ? 0.0f : fst.finals[state];
    if (state != after_end)
      for (const FstArc *arc = fst.begin(state); arc != fst.end(state); arc++)
        add(context, arc->ilabel, arc->olabel, arc->weight, arc->nextstate);
    if (reads_end && final_cost != kNoEnd) add(context, end, 0, final_cost, after_end);
    made.fst.end_state(contexts.may_end(context) ? final_cost : kNoEnd);
  }
  made.labels = contexts.take_labels();
  return made;
}

}  // namespace kaldi_bridge
