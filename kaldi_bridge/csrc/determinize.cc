#include "determinize.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <queue>
#include <stdexcept>
#include <unordered_map>

namespace kaldi_bridge {

namespace {

// Strings of transition-ids, shared: a string is its last label and the string before it. 0 is the empty string.
class Strings {
 public:
  Strings() : entries_(1, {0, 0, 0}) {}

  int32_t append(int32_t string, int32_t label) {
    if (label == 0) return string;
    const uint64_t key = static_cast<uint64_t>(static_cast<uint32_t>(string)) << 32 | static_cast<uint32_t>(label);
    const auto [place, fresh] = index_.try_emplace(key, static_cast<int32_t>(entries_.size()));
    if (fresh) entries_.push_back({string, label, entries_[string].length + 1});
    return place->second;
  }
  int32_t length(int32_t string) const { return entries_[string].length; }

  int32_t common_prefix(int32_t a, int32_t b) const {
    while (length(a) > length(b)) a = entries_[a].prefix;
    while (length(b) > length(a)) b = entries_[b].prefix;
    while (a != b) {
      a = entries_[a].prefix;
      b = entries_[b].prefix;
    }
    return a;
  }
  int32_t without_prefix(int32_t string, int32_t length) {
    if (length == 0) return string;
    std::vector<int32_t> labels = to_vector(string);
    int32_t rest = 0;
    for (size_t i = length; i < labels.size(); i++) rest = append(rest, labels[i]);
    return rest;
  }
  std::vector<int32_t> to_vector(int32_t string) const {
    std::vector<int32_t> labels(length(string));
    for (size_t i = labels.size(); i-- > 0; string = entries_[string].prefix) labels[i] = entries_[string].label;
    return labels;
  }
  // A total order: shorter first, then by labels.
  bool less(int32_t a, int32_t b) const {
    if (a == b) return false;
    if (length(a) != length(b)) return length(a) < length(b);
    return to_vector(a) < to_vector(b);
  }
  size_t bytes() const { return entries_.size() * 48; }

 private:
  struct Entry {
    int32_t prefix, label, length;
  };
  std::vector<Entry> entries_;
  std::unordered_map<uint64_t, int32_t> index_;
};

struct Element {
  int32_t state, string;
  Cost cost;
};
using Subset = std::vector<Element>;  // sorted by state, each once

struct Task {
  double priority;
  int32_t state, word;
  Subset subset;
};
struct Later {
  bool operator()(const std::unique_ptr<Task> &a, const std::unique_ptr<Task> &b) const {
    return a->priority > b->priority;
  }
};

struct ResultState {
  Subset minimal;
  double cost_so_far;
};

class Determinizer {
 public:
  Determinizer(const Lattice &lattice, const DeterminizeOptions &options, double beam)
      : lattice_(lattice), options_(options), beam_(beam), to_end_(costs_to_end(lattice)) {}

  // The part of the beam that was done.
  double run(CompactLattice *result) {
    result_ = result;
    if (lattice_.empty() || !(to_end_[0] < kInfinity)) return 1.0;
    const double best = to_end_[0];
    cutoff_ = best + beam_;
    Subset first = close({{0, 0, {0.0, 0.0}}});
    make_minimal(&first);
    new_state(first, 0.0);
    while (!tasks_.empty()) {
      if (bytes_ + strings_.bytes() > static_cast<size_t>(options_.max_memory))
        return std::max(0.0, (tasks_.top()->priority - best) / beam_);
      std::unique_ptr<Task> task = std::move(const_cast<std::unique_ptr<Task> &>(tasks_.top()));
      tasks_.pop();
      bytes_ -= task->subset.size() * sizeof(Element);
      follow(*task);
    }
    return 1.0;
  }

 private:
  bool improves(const Element &a, const Element &b) const {
    if (better(a.cost, b.cost)) return true;
    return !better(b.cost, a.cost) && strings_.less(a.string, b.string);
  }

  // Adds what arcs without words lead to; states are in topological order, so one pass over them is enough.
  Subset close(const Subset &subset) {
    std::map<int32_t, Element> found;
    for (const Element &element : subset) found.emplace(element.state, element);
    for (auto place = found.begin(); place != found.end(); ++place) {
      const Element from = place->second;
      for (const Arc &arc : lattice_[from.state].arcs) {
        if (arc.word != 0) continue;
        const Element to = {arc.next, strings_.append(from.string, arc.tid), from.cost + arc.cost};
        const auto [old, fresh] = found.try_emplace(arc.next, to);
        if (!fresh && improves(to, old->second)) old->second = to;
      }
    }
    Subset closed;
    closed.reserve(found.size());
    for (const auto &entry : found) closed.push_back(entry.second);
    return closed;
  }

  // Drops elements whose state is neither final nor left by a word.
  void make_minimal(Subset *subset) const {
    auto useless = [&](const Element &element) {
      const State &state = lattice_[element.state];
      if (!state.final.is_infinite()) return false;
      for (const Arc &arc : state.arcs)
        if (arc.word != 0) return false;
      return true;
    };
    subset->erase(std::remove_if(subset->begin(), subset->end(), useless), subset->end());
  }

  // Takes the best cost and the common prefix out of all elements.
  void normalize(Subset *subset, Cost *cost, int32_t *prefix) {
    *cost = (*subset)[0].cost;
    *prefix = (*subset)[0].string;
    for (const Element &element : *subset) {
      if (better(element.cost, *cost)) *cost = element.cost;
      *prefix = strings_.common_prefix(*prefix, element.string);
    }
    for (Element &element : *subset) {
      element.cost = element.cost - *cost;
      element.string = strings_.without_prefix(element.string, strings_.length(*prefix));
    }
  }

  static uint64_t hash(const Subset &subset) {
    uint64_t h = 0;
    for (const Element &e : subset) h = (h * 1000003u + static_cast<uint32_t>(e.state)) * 7853u + static_cast<uint32_t>(e.string);
    return h;
  }
  bool same(const Subset &a, const Subset &b) const {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); i++) {
      if (a[i].state != b[i].state || a[i].string != b[i].string ||
          std::fabs(a[i].cost.graph - b[i].cost.graph) > options_.delta ||
          std::fabs(a[i].cost.acoustic - b[i].cost.acoustic) > options_.delta)
        return false;
    }
    return true;
  }

  int32_t find_or_make(const Subset &minimal, double cost_so_far) {
    const auto [first, last] = by_minimal_.equal_range(hash(minimal));
    for (auto place = first; place != last; ++place)
      if (same(states_[place->second].minimal, minimal)) return place->second;
    return new_state(minimal, cost_so_far);
  }

  int32_t new_state(const Subset &minimal, double cost_so_far) {
    const int32_t number = static_cast<int32_t>(states_.size());
    states_.push_back({minimal, cost_so_far});
    by_minimal_.emplace(hash(minimal), number);
    result_->emplace_back();
    bytes_ += minimal.size() * sizeof(Element) + 200;
    set_final(number);
    make_tasks(number);
    return number;
  }

  void set_final(int32_t number) {
    const ResultState &from = states_[number];
    Element best = {-1, 0, kNoCost};
    for (const Element &element : from.minimal) {
      const Cost &final = lattice_[element.state].final;
      if (final.is_infinite()) continue;
      const Element candidate = {element.state, element.string, element.cost + final};
      if (best.state < 0 || improves(candidate, best)) best = candidate;
    }
    if (best.state < 0 || from.cost_so_far + best.cost.total() > cutoff_) return;
    (*result_)[number].final = best.cost;
    (*result_)[number].final_tids = strings_.to_vector(best.string);
  }

  void make_tasks(int32_t number) {
    std::vector<std::pair<int32_t, Element>> all;
    for (const Element &element : states_[number].minimal)
      for (const Arc &arc : lattice_[element.state].arcs)
        if (arc.word != 0)
          all.push_back({arc.word, {arc.next, strings_.append(element.string, arc.tid), element.cost + arc.cost}});
    std::sort(all.begin(), all.end(), [&](const auto &a, const auto &b) {
      if (a.first != b.first) return a.first < b.first;
      if (a.second.state != b.second.state) return a.second.state < b.second.state;
      return improves(a.second, b.second);
    });
    const double so_far = states_[number].cost_so_far;
    for (size_t i = 0; i < all.size();) {
      auto task = std::make_unique<Task>(Task{kInfinity, number, all[i].first, {}});
      for (; i < all.size() && all[i].first == task->word; i++) {
        const Element &element = all[i].second;
        if (!task->subset.empty() && task->subset.back().state == element.state) continue;  // a worse one
        task->subset.push_back(element);
        task->priority = std::min(task->priority, so_far + element.cost.total() + to_end_[element.state]);
      }
      if (!(task->priority <= cutoff_)) continue;
      bytes_ += task->subset.size() * sizeof(Element);
      tasks_.push(std::move(task));
    }
  }

  struct Known {
    Subset subset;
    int32_t state;
    Cost cost;
    int32_t string;
  };

  void follow(Task &task) {
    Cost cost;
    int32_t prefix;
    normalize(&task.subset, &cost, &prefix);
    const double so_far = states_[task.state].cost_so_far + cost.total();
    // The closure is the costly part, so what it led to is remembered.
    const uint64_t key = hash(task.subset);
    const auto [first, last] = by_initial_.equal_range(key);
    const Known *known = nullptr;
    for (auto place = first; place != last && known == nullptr; ++place)
      if (same(place->second.subset, task.subset)) known = &place->second;
    if (known == nullptr) {
      Subset minimal = close(task.subset);
      make_minimal(&minimal);
      if (minimal.empty()) return;  // leads nowhere
      Known made;
      normalize(&minimal, &made.cost, &made.string);
      made.state = find_or_make(minimal, so_far + made.cost.total());
      made.subset = task.subset;
      bytes_ += task.subset.size() * sizeof(Element) + 100;
      known = &by_initial_.emplace(key, std::move(made))->second;
    }
    std::vector<int32_t> tids = strings_.to_vector(prefix);
    for (int32_t tid : strings_.to_vector(known->string)) tids.push_back(tid);
    bytes_ += sizeof(CompactArc) + 4 * tids.size();
    (*result_)[task.state].arcs.push_back({task.word, cost + known->cost, std::move(tids), known->state});
  }

  const Lattice &lattice_;
  const DeterminizeOptions &options_;
  const double beam_;
  const std::vector<double> to_end_;
  double cutoff_ = 0.0;
  Strings strings_;
  size_t bytes_ = 0;
  std::vector<ResultState> states_;
  std::unordered_multimap<uint64_t, int32_t> by_minimal_;
  std::unordered_multimap<uint64_t, Known> by_initial_;
  std::priority_queue<std::unique_ptr<Task>, std::vector<std::unique_ptr<Task>>, Later> tasks_;
  CompactLattice *result_ = nullptr;
};

// Drops states from which no final state can be reached, and those that cannot be reached.
void connect(CompactLattice *lattice) {
  if (lattice->empty()) return;
  sort_topologically(lattice);
  std::vector<char> ends(lattice->size(), 0);
  for (size_t s = lattice->size(); s-- > 0;) {
    CompactState &state = (*lattice)[s];
    state.arcs.erase(std::remove_if(state.arcs.begin(), state.arcs.end(), [&](const CompactArc &a) { return !ends[a.next]; }),
                     state.arcs.end());
    ends[s] = !state.final.is_infinite() || !state.arcs.empty();
  }
  if (!ends[0])
    lattice->clear();
  else
    sort_topologically(lattice);
}

Determinized one_pass(Lattice lattice, const DeterminizeOptions &options) {
  Determinized out;
  double beam = options.beam;
  for (int attempt = 0;; attempt++) {
    if (!sort_topologically(&lattice)) throw std::invalid_argument("the lattice has a cycle");
    out.lattice.clear();
    const double done = Determinizer(lattice, options, beam).run(&out.lattice);
    if (done < 1.0) out.complete = false;
    if (done >= options.retry_cutoff || attempt == 10) break;
    beam *= std::sqrt(std::max(done, 0.01));
    prune(beam, &lattice);
  }
  connect(&out.lattice);
  return out;
}

// Each arc's transition-ids laid out on a chain of arcs.
Lattice expand(const CompactLattice &compact) {
  Lattice lattice(compact.size());
  auto chain = [&](int32_t from, int32_t word, Cost cost, const std::vector<int32_t> &tids, int32_t next) {
    for (size_t i = 0; i + 1 < tids.size() || (next < 0 && i < tids.size()); i++) {
      const int32_t middle = static_cast<int32_t>(lattice.size());
      lattice.emplace_back();
      lattice[from].arcs.push_back({tids[i], word, cost, middle});
      from = middle;
      word = 0;
      cost = {0.0, 0.0};
    }
    if (next >= 0) lattice[from].arcs.push_back({tids.empty() ? 0 : tids.back(), word, cost, next});
    return from;
  };
  for (size_t s = 0; s < compact.size(); s++) {
    const CompactState &state = compact[s];
    if (!state.final.is_infinite()) {
      const int32_t end = chain(s, 0, state.final, state.final_tids, -1);
      lattice[end].final = state.final_tids.empty() ? state.final : Cost{0.0, 0.0};
    }
    for (const CompactArc &arc : state.arcs) chain(s, arc.word, arc.cost, arc.tids, arc.next);
  }
  return lattice;
}

// Puts phones among the words, numbered from `first` on, where their first transition-id stands; returns `first`.
int32_t insert_phones(const std::vector<int32_t> &phone_of, Lattice *lattice) {
  int32_t first = 1;
  for (const State &state : *lattice)
    for (const Arc &arc : state.arcs) first = std::max(first, arc.word + 1);
  for (size_t s = 0, n = lattice->size(); s < n; s++) {
    for (size_t i = 0; i < (*lattice)[s].arcs.size(); i++) {
      Arc &arc = (*lattice)[s].arcs[i];
      const int32_t phone = static_cast<size_t>(arc.tid) < phone_of.size() ? phone_of[arc.tid] : 0;
      if (arc.tid == 0 || phone == 0) continue;
      if (arc.word == 0) {
        arc.word = first + phone;
      } else {
        const int32_t middle = static_cast<int32_t>(lattice->size()), next = arc.next;
        arc.next = middle;
        lattice->emplace_back();  // `arc` is no longer valid
        lattice->back().arcs.push_back({0, first + phone, {0.0, 0.0}, next});
      }
    }
  }
  return first;
}

}  // namespace

Determinized determinize(Lattice lattice, const std::vector<int32_t> &phone_of, const DeterminizeOptions &options) {
  Determinized out;
  if (options.phones_first && !phone_of.empty()) {
    const int32_t first = insert_phones(phone_of, &lattice);
    Determinized phones = one_pass(std::move(lattice), options);
    out.complete = phones.complete;
    lattice = expand(phones.lattice);
    for (State &state : lattice)
      for (Arc &arc : state.arcs)
        if (arc.word >= first) arc.word = 0;
    if (!options.words) {  // determinized by words and phones together, then without the phones
      for (CompactState &state : phones.lattice)
        for (CompactArc &arc : state.arcs)
          if (arc.word >= first) arc.word = 0;
      out.lattice = std::move(phones.lattice);
      return out;
    }
  }
  Determinized words = one_pass(std::move(lattice), options);
  words.complete = words.complete && out.complete;
  return words;
}

}  // namespace kaldi_bridge
