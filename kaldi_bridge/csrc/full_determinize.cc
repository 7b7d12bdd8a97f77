#include "full_determinize.h"

#include <memory>
#include <sstream>
#include <unordered_map>
#include <utility>
#include <vector>

#include "label_strings.h"
#include "subsets.h"

namespace kaldi_bridge {

namespace {

Cost cost_of(const FlatArc &arc) { return {arc.graph, arc.acoustic}; }

class FullDeterminizer {
 public:
  FullDeterminizer(const FlatLattice &lattice, const FullDeterminizeOptions &options, std::vector<Message> *messages)
      : lattice_(lattice),
        options_(options),
        messages_(messages),
        useful_(lattice.num_states()),
        place_(lattice.num_states(), -1),
        by_minimal_(3, SubsetHash(), SubsetEqual{options.delta}),
        by_initial_(3, SubsetHash(), SubsetEqual{options.delta}) {
    for (int32_t s = 0; s < lattice.num_states(); s++) {
      useful_[s] = is_final(lattice.finals[s]);
      for (const FlatArc &arc : arcs_of(lattice, s)) useful_[s] |= arc.olabel != 0 && !cost_of(arc).is_infinite();
    }
  }

  // Whether it came to the end.
  bool run() {
    if (lattice_.start < 0) return true;
    by_minimal_.rehash(lattice_.num_states() / 2 + 3);
    by_initial_.rehash(lattice_.num_states() / 2 + 3);
    Subset first = {{lattice_.start, 0, {}}};
    if (!close(&first)) return false;
    new_state(std::move(first));
    while (!waiting_.empty()) {
      const int32_t state = waiting_.back();
      waiting_.pop_back();
      set_final(states_[state].get());
      if (!make_arcs(state) || memory_is_full()) return false;
    }
    return true;
  }

  CompactLattice result() const { return compact_lattice(states_, strings_); }

 private:
  template <class... Parts>
  void warn(const Parts &...parts) {
    std::ostringstream text;
    (text << ... << parts);
    messages_->push_back({Message::kWarning, text.str()});
  }

  // Beyond the limit, strings that are no longer needed are forgotten; only when that does not help it is full.
  bool memory_is_full() {
    const int64_t strings = kBytesPerString * strings_.size(), arcs = kBytesPerArc * num_arcs_,
                  elements = kBytesPerElement * num_elements_;
    if (options_.max_memory <= 0 || strings + arcs + elements <= options_.max_memory) return false;
    forget_strings();
    const int64_t left = kBytesPerString * strings_.size();
    if (left + arcs + elements <= static_cast<int32_t>(options_.max_memory * 0.8)) return false;
    warn("Failure in determinize-lattice: size exceeds maximum ", options_.max_memory, " bytes; (repo,arcs,elems) = (",
         strings, ",", arcs, ",", elements, "), after rebuilding, repo size was ", left);
    return true;
  }

  void forget_strings() {
    std::vector<int32_t> needed;
    for (const auto &state : states_) {
      for (const SubsetElement &element : state->minimal) needed.push_back(element.string);
      needed.push_back(state->final_string);
      for (const ResultArc &arc : state->arcs) needed.push_back(arc.string);
    }
    for (const auto &[subset, known] : by_initial_) {
      for (const SubsetElement &element : *subset) needed.push_back(element.string);
      needed.push_back(known.string);
    }
    strings_.keep_only(needed);
  }

  // Follows arcs without words, then keeps the states that are final or left by a word. False: max_loop was passed.
  bool close(Subset *subset) {
    closure_ = *subset;
    for (size_t i = 0; i < closure_.size(); i++) place_[closure_[i].state] = static_cast<int32_t>(i);
    queue_ = *subset;
    const bool done = follow_epsilons();
    for (const SubsetElement &element : closure_) place_[element.state] = -1;
    subset->clear();
    for (const SubsetElement &element : closure_)
      if (useful_[element.state]) subset->push_back(element);
    std::sort(subset->begin(), subset->end(),
              [](const SubsetElement &a, const SubsetElement &b) { return a.state < b.state; });
    return done;
  }

  // A state is left again whenever a better way to it was found: the lattice need not be sorted.
  bool follow_epsilons() {
    int32_t steps = 0;
    for (size_t first = 0; first < queue_.size(); first++) {
      const SubsetElement from = queue_[first], &known = closure_[place_[from.state]];
      if (known.string != from.string || known.cost.graph != from.cost.graph || known.cost.acoustic != from.cost.acoustic)
        continue;
      if (options_.max_loop > 0 && steps++ > options_.max_loop) {
        warn("Lattice determinization aborted since looped more than ", options_.max_loop,
             " times during epsilon closure");
        return false;
      }
      for (const FlatArc &arc : arcs_of(lattice_, from.state)) {
        if (arc.olabel != 0 || cost_of(arc).is_infinite()) continue;
        const SubsetElement next = after(from, arc);
        int32_t &place = place_[arc.nextstate];
        if (place < 0) {
          place = static_cast<int32_t>(closure_.size());
          closure_.push_back(next);
        } else if (improves(strings_, next.cost, next.string, closure_[place])) {
          closure_[place] = next;
        } else {
          continue;
        }
        queue_.push_back(next);
      }
    }
    return true;
  }

  int32_t new_state(Subset minimal) {
    const int32_t number = static_cast<int32_t>(states_.size());
    states_.push_back(std::make_unique<ResultState>());
    states_.back()->minimal = std::move(minimal);
    if (number > 0) num_elements_ += states_.back()->minimal.size();  // Kaldi does not count those of the first
    by_minimal_[&states_.back()->minimal] = number;
    waiting_.push_back(number);
    return number;
  }

  void set_final(ResultState *state) {
    SubsetElement best = {-1, 0, kNoCost};
    for (const SubsetElement &element : state->minimal) {
      const Weight &final = lattice_.finals[element.state];
      const Cost cost = element.cost + Cost{final.graph, final.acoustic};
      if (cost.is_infinite()) continue;
      if (best.state < 0 || improves(strings_, cost, element.string, best)) best = {element.state, element.string, cost};
    }
    if (best.state < 0) return;
    state->is_final = true;
    state->final = best.cost;
    state->final_string = best.string;
    num_arcs_++;
  }

  SubsetElement after(const SubsetElement &element, const FlatArc &arc) {
    return {arc.nextstate, strings_.append(element.string, arc.ilabel), element.cost + cost_of(arc)};
  }

  bool make_arcs(int32_t state) {
    std::vector<std::pair<int32_t, SubsetElement>> worded;
    for (const SubsetElement &element : states_[state]->minimal)
      for (const FlatArc &arc : arcs_of(lattice_, element.state))
        if (arc.olabel != 0 && !cost_of(arc).is_infinite()) worded.emplace_back(arc.olabel, after(element, arc));
    std::sort(worded.begin(), worded.end(), [](const auto &a, const auto &b) {
      return a.first != b.first ? a.first < b.first : a.second.state < b.second.state;
    });
    for (size_t i = 0; i < worded.size();) {
      const int32_t word = worded[i].first;
      Subset subset;
      for (; i < worded.size() && worded[i].first == word; i++) {
        const SubsetElement &element = worded[i].second;
        if (subset.empty() || subset.back().state != element.state)
          subset.push_back(element);
        else if (improves(strings_, element.cost, element.string, subset.back()))
          subset.back() = element;
      }
      if (!make_arc(state, word, std::move(subset))) return false;
    }
    return true;
  }

  bool make_arc(int32_t state, int32_t word, Subset subset) {
    Cost cost;
    int32_t prefix;
    normalize(&strings_, &subset, &cost, &prefix);
    Known known;
    if (!find_closed(std::move(subset), &known)) return false;
    states_[state]->arcs.push_back({word, strings_.concatenate(prefix, known.string), known.state, cost + known.cost});
    num_arcs_++;
    return true;
  }

  // What a normalized subset led to: the closure is the costly part, so it is remembered.
  struct Known {
    int32_t state, string;
    Cost cost;
  };

  bool find_closed(Subset initial, Known *known) {
    const auto place = by_initial_.find(&initial);
    if (place != by_initial_.end()) {
      *known = place->second;
    } else {
      Subset minimal = initial;
      if (!close(&minimal)) return false;
      if (minimal.empty()) {
        warn("[empty subset]");
        known->cost = kNoCost;
        known->string = 0;
      } else {
        normalize(&strings_, &minimal, &known->cost, &known->string);
      }
      const auto same = by_minimal_.find(&minimal);
      known->state = same != by_minimal_.end() ? same->second : new_state(std::move(minimal));
      num_elements_ += initial.size();
      initial_.push_back(std::make_unique<Subset>(std::move(initial)));
      by_initial_[initial_.back().get()] = *known;
    }
    if (known->cost.is_infinite()) warn("Zero weight!");
    return true;
  }

  const FlatLattice &lattice_;
  const FullDeterminizeOptions &options_;
  std::vector<Message> *messages_;
  std::vector<char> useful_;  // final, or left by a word
  LabelStrings strings_;
  int64_t num_arcs_ = 0, num_elements_ = 0;
  std::vector<std::unique_ptr<ResultState>> states_;
  std::vector<std::unique_ptr<Subset>> initial_;
  std::vector<int32_t> waiting_;  // the last is done first, as in Kaldi
  // close() only: elements found, those to go on from, and where each state's is
  Subset closure_, queue_;
  std::vector<int32_t> place_;
  std::unordered_map<const Subset *, int32_t, SubsetHash, SubsetEqual> by_minimal_;
  std::unordered_map<const Subset *, Known, SubsetHash, SubsetEqual> by_initial_;
};

}  // namespace

Determinized determinize_fully(const FlatLattice &lattice, const FullDeterminizeOptions &options) {
  Determinized out;
  out.states_before = lattice.num_states();
  FullDeterminizer determinizer(lattice, options, &out.messages);
  out.complete = determinizer.run();
  if (out.complete)
    out.lattice = determinizer.result();
  else
    out.messages.push_back({Message::kWarning, "the lattice could not be determinized within the limits"});
  return out;
}

}  // namespace kaldi_bridge
