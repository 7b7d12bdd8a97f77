#include "determinize.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <queue>
#include <sstream>
#include <stdexcept>
#include <unordered_map>

#include "label_strings.h"
#include "subsets.h"

namespace kaldi_bridge {

namespace {

constexpr int kMaxAttempts = 10;

struct PrunedState : ResultState {
  double cost_so_far;
};

struct Task {
  int32_t state, word;
  Subset subset;
  double priority;
};
struct Later {
  bool operator()(const Task *a, const Task *b) const { return a->priority > b->priority; }
};

// The arcs of all states, in each state those without a word first.
class SplitArcs {
 public:
  explicit SplitArcs(const Lattice &lattice) : first_(lattice.size() + 1), worded_(lattice.size()) {
    size_t total = 0;
    for (const State &state : lattice) total += state.arcs.size();
    arcs_.reserve(total);
    for (size_t s = 0; s < lattice.size(); s++) {
      first_[s] = arcs_.size();
      for (const Arc &arc : lattice[s].arcs)
        if (arc.word == 0 && !arc.cost.is_infinite()) arcs_.push_back(arc);
      worded_[s] = arcs_.size();
      for (const Arc &arc : lattice[s].arcs)
        if (arc.word != 0 && !arc.cost.is_infinite()) arcs_.push_back(arc);
    }
    first_.back() = arcs_.size();
  }
  const Arc *begin(int32_t state) const { return arcs_.data() + first_[state]; }
  const Arc *worded(int32_t state) const { return arcs_.data() + worded_[state]; }
  const Arc *end(int32_t state) const { return arcs_.data() + first_[state + 1]; }

 private:
  std::vector<size_t> first_, worded_;
  std::vector<Arc> arcs_;
};

class Determinizer {
 public:
  Determinizer(const Lattice &lattice, const DeterminizeOptions &options, double beam, std::vector<Message> *messages)
      : lattice_(lattice),
        options_(options),
        beam_(beam),
        messages_(messages),
        arcs_(lattice),
        to_end_(costs_to_end(lattice)),
        place_(lattice.size(), -1),
        by_minimal_(3, SubsetHash(), SubsetEqual{options.delta}),
        by_initial_(3, SubsetHash(), SubsetEqual{options.delta}) {}

  // Returns the beam that was done, less than was asked for when a limit was reached.
  double run() {
    best_ = to_end_[0];
    cutoff_ = best_ + beam_;
    if (best_ == kInfinity) tell(Message::kWarning, "Total weight of input lattice is zero.");
    by_minimal_.rehash(lattice_.size() / 2 + 3);
    by_initial_.rehash(lattice_.size() / 2 + 3);
    Subset first = {{0, 0, {}}};
    close(&first);
    new_state(std::move(first), 0.0);
    while (!tasks_.empty()) {
      if (limit_is_reached()) return tasks_.top()->priority - best_;
      const std::unique_ptr<Task> task(tasks_.top());
      tasks_.pop();
      follow(task.get());
    }
    return beam_;
  }
  bool is_complete() const { return tasks_.empty(); }

  // The states found.
  CompactLattice result() const { return compact_lattice(states_, strings_); }

  ~Determinizer() {
    for (; !tasks_.empty(); tasks_.pop()) delete tasks_.top();
  }

 private:
  template <class... Parts>
  void tell(int kind, const Parts &...parts) {
    std::ostringstream text;
    (text << ... << parts);
    messages_->push_back({kind, text.str()});
  }

  bool limit_is_reached() {
    const int64_t num_states = states_.size();
    const bool reached = (options_.max_states > 0 && num_states > options_.max_states) ||
                         (options_.max_arcs > 0 && num_arcs_ > options_.max_arcs) ||
                         (num_states % 10 == 0 && memory_is_full());
    if (reached)
      tell(1, "Lattice determinization ended before the lattice beam did: (states, arcs) = (", num_states, ",", num_arcs_,
           "), the limits are (", options_.max_states, ",", options_.max_arcs, "), or it is the memory");
    return reached;
  }

  // Beyond the limit, strings that are no longer needed are forgotten; only when that does not help it is full.
  bool memory_is_full() {
    const int64_t strings = kBytesPerString * strings_.size(), arcs = kBytesPerArc * num_arcs_,
                  elements = kBytesPerElement * num_elements_;
    if (options_.max_memory <= 0 || strings + arcs + elements <= options_.max_memory) return false;
    forget_strings();
    const int64_t left = kBytesPerString * strings_.size();
    tell(2, "Rebuilt repository in determinize-lattice: repository shrank from ", strings, " to ", left,
         " bytes (approximately)");
    if (left + arcs + elements <= static_cast<int32_t>(options_.max_memory * 0.8)) return false;
    tell(Message::kWarning, "Did not reach requested beam in determinize-lattice: size exceeds maximum ",
         options_.max_memory, " bytes; (repo,arcs,elems) = (", strings, ",", arcs, ",", elements,
         "), after rebuilding, repo size was ", left, ", effective beam was ", tasks_.top()->priority - best_,
         " vs. requested beam ", beam_);
    return true;
  }

  void forget_strings() {
    tell(Message::kLog, "Rebuilding repository.");
    std::vector<int32_t> needed;
    auto need_all = [&](const Subset &subset) {
      for (const SubsetElement &element : subset) needed.push_back(element.string);
    };
    for (const auto &state : states_) {
      need_all(state->minimal);
      needed.push_back(state->final_string);
      for (const ResultArc &arc : state->arcs) needed.push_back(arc.string);
    }
    // As in Kaldi, the tasks go through the queue: those of the same priority come out in another order afterwards.
    std::vector<Task *> tasks;
    for (; !tasks_.empty(); tasks_.pop()) tasks.push_back(tasks_.top());
    for (Task *task : tasks) {
      need_all(task->subset);
      tasks_.push(task);
    }
    for (const auto &[subset, known] : by_initial_) {
      need_all(*subset);
      needed.push_back(known.string);
    }
    strings_.keep_only(needed);
  }

  bool is_useful(int32_t state) const {
    return arcs_.worded(state) != arcs_.end(state) || !lattice_[state].final.is_infinite();
  }

  // Follows arcs without words, and keeps the states that are final or left by a word. States come out of the queue in
  // topological order, so that each is final by then.
  void close(Subset *subset) {
    auto later = std::greater<int32_t>();
    closure_.assign(subset->begin(), subset->end());
    queue_.clear();
    for (size_t i = 0; i < closure_.size(); i++) {
      place_[closure_[i].state] = static_cast<int32_t>(i);
      queue_.push_back(closure_[i].state);  // sorted, which is a heap
    }
    subset->clear();
    int32_t steps = 0;
    while (!queue_.empty()) {
      std::pop_heap(queue_.begin(), queue_.end(), later);
      const SubsetElement from = closure_[place_[queue_.back()]];
      queue_.pop_back();
      if (options_.max_loop > 0 && steps++ > options_.max_loop) {
        for (const SubsetElement &element : closure_) place_[element.state] = -1;
        throw std::invalid_argument("the determinization went through more than --max-loop=" +
                                    std::to_string(options_.max_loop) + " states without a word");
      }
      for (const Arc *arc = arcs_.begin(from.state), *end = arcs_.worded(from.state); arc != end; ++arc) {
        const Cost cost = from.cost + arc->cost;
        int32_t &place = place_[arc->next];
        if (place < 0) {
          place = static_cast<int32_t>(closure_.size());
          closure_.push_back({arc->next, strings_.append(from.string, arc->tid), cost});
          queue_.push_back(arc->next);
          std::push_heap(queue_.begin(), queue_.end(), later);
          continue;
        }
        SubsetElement &known = closure_[place];
        const int order = compare(cost, known.cost);
        if (order < 0) continue;
        const int32_t string = strings_.append(from.string, arc->tid);
        if (order > 0 || strings_.compare(string, known.string) > 0) {
          known.cost = cost;
          known.string = string;
        }
      }
      if (is_useful(from.state)) subset->push_back(from);
    }
    for (const SubsetElement &element : closure_) place_[element.state] = -1;
  }

  // Takes the best cost and the common prefix out of all elements.
  void normalize(Subset *subset, Cost *cost, int32_t *prefix) {
    if (subset->empty()) {
      tell(Message::kWarning, "empty subset");
      *cost = kNoCost;
      *prefix = 0;
      return;
    }
    kaldi_bridge::normalize(&strings_, subset, cost, prefix);
  }

  int32_t find_or_make(Subset minimal, double cost_so_far) {
    const auto place = by_minimal_.find(&minimal);
    if (place == by_minimal_.end()) return new_state(std::move(minimal), cost_so_far);
    const double known = states_[place->second]->cost_so_far;
    if (cost_so_far < known - 0.1)
      tell(Message::kWarning, "New cost is less (check the difference is small) ", cost_so_far, ", ", known);
    return place->second;
  }

  int32_t new_state(Subset minimal, double cost_so_far) {
    const int32_t number = static_cast<int32_t>(states_.size());
    states_.push_back(std::make_unique<PrunedState>());
    PrunedState &state = *states_.back();
    state.minimal = std::move(minimal);
    state.cost_so_far = cost_so_far;
    by_minimal_[&state.minimal] = number;
    num_elements_ += state.minimal.size();
    set_final(&state);
    make_tasks(number);
    return number;
  }

  void set_final(PrunedState *state) {
    SubsetElement best = {-1, 0, kNoCost};
    for (const SubsetElement &element : state->minimal) {
      const Cost cost = element.cost + lattice_[element.state].final;
      if (cost.is_infinite()) continue;
      if (best.state < 0 || improves(strings_, cost, element.string, best)) best = {element.state, element.string, cost};
    }
    if (best.state < 0 || !(best.cost.total() + state->cost_so_far <= cutoff_)) return;
    state->is_final = true;
    state->final = best.cost;
    state->final_string = best.string;
    num_arcs_++;
  }

  void make_tasks(int32_t number) {
    const PrunedState &state = *states_[number];
    worded_.clear();
    for (const SubsetElement &element : state.minimal)
      for (const Arc *arc = arcs_.worded(element.state), *end = arcs_.end(element.state); arc != end; ++arc)
        worded_.push_back({arc->word, {arc->next, strings_.append(element.string, arc->tid), element.cost + arc->cost}});
    std::sort(worded_.begin(), worded_.end(), [](const auto &a, const auto &b) {
      return a.first != b.first ? a.first < b.first : a.second.state < b.second.state;
    });
    const double tolerance = 0.01 + 1e-4 * std::fabs(best_);
    for (size_t i = 0, end = 0; i < worded_.size(); i = end) {
      const int32_t word = worded_[i].first;
      double priority = kInfinity;
      for (; end < worded_.size() && worded_[end].first == word; end++) {
        const SubsetElement &element = worded_[end].second;
        priority = std::min(priority, element.cost.total() + to_end_[element.state]);
      }
      priority += state.cost_so_far;
      if (priority > cutoff_) continue;
      auto task = std::make_unique<Task>(Task{number, word, {}, priority});
      for (; i < end; i++) {
        const SubsetElement &element = worded_[i].second;
        if (task->subset.empty() || task->subset.back().state != element.state)
          task->subset.push_back(element);
        else if (improves(strings_, element.cost, element.string, task->subset.back()))
          task->subset.back() = element;
      }
      tasks_.push(task.release());
      if (priority < best_ - tolerance)
        tell(Message::kWarning, "Cost below best cost was encountered:", priority, " < ", best_);
    }
  }

  // What a normalized subset led to: the closure is the costly part, so it is remembered.
  struct Known {
    int32_t state, string;
    Cost cost;
  };

  void follow(Task *task) {
    Cost cost;
    int32_t prefix;
    normalize(&task->subset, &cost, &prefix);
    const Known known = closure_state(std::move(task->subset), states_[task->state]->cost_so_far + cost.total());
    states_[task->state]->arcs.push_back(
        {task->word, strings_.concatenate(prefix, known.string), known.state, cost + known.cost});
    num_arcs_++;
  }

  Known closure_state(Subset initial, double cost_so_far) {
    const auto place = by_initial_.find(&initial);
    Known known;
    if (place != by_initial_.end()) {
      known = place->second;
    } else {
      Subset minimal = initial;
      close(&minimal);
      normalize(&minimal, &known.cost, &known.string);
      known.state = find_or_make(std::move(minimal), cost_so_far + known.cost.total());
      num_elements_ += initial.size();
      initial_.push_back(std::make_unique<Subset>(std::move(initial)));
      by_initial_[initial_.back().get()] = known;
    }
    if (known.cost.is_infinite()) tell(Message::kWarning, "Zero weight!");
    return known;
  }

  const Lattice &lattice_;
  const DeterminizeOptions &options_;
  const double beam_;
  std::vector<Message> *messages_;
  const SplitArcs arcs_;
  const std::vector<double> to_end_;
  double best_ = 0.0, cutoff_ = 0.0;
  LabelStrings strings_;
  int64_t num_arcs_ = 0, num_elements_ = 0;
  std::vector<std::unique_ptr<PrunedState>> states_;
  std::vector<std::unique_ptr<Subset>> initial_;
  // close() and make_tasks() only: elements found, where each state's is, states to leave; elements by word
  Subset closure_;
  std::vector<int32_t> place_, queue_;
  std::vector<std::pair<int32_t, SubsetElement>> worded_;
  std::unordered_map<const Subset *, int32_t, SubsetHash, SubsetEqual> by_minimal_;
  std::unordered_map<const Subset *, Known, SubsetHash, SubsetEqual> by_initial_;
  std::priority_queue<Task *, std::vector<Task *>, Later> tasks_;
};

void check(const DeterminizeOptions &options) {
  if (!(options.beam > 0.0)) throw std::invalid_argument("the beam of the determinization must be greater than zero");
  if (!(options.retry_cutoff >= 0.0f && options.retry_cutoff < 1.0f))
    throw std::invalid_argument("--retry-cutoff must be at least 0 and less than 1");
}

}  // namespace

// Where a limit ends the work too early, the lattice is pruned with a smaller beam, by half at most, and done again.
Determinized determinize(const Lattice &lattice, const DeterminizeOptions &options) {
  check(options);
  Determinized out;
  out.states_before = lattice.size();
  if (lattice.empty()) return out;
  double beam = options.beam;
  Lattice pruned;
  for (int attempt = 1;; attempt++) {
    Determinizer determinizer(attempt == 1 ? lattice : pruned, options, beam, &out.messages);
    const double done = determinizer.run();
    if (done >= beam * options.retry_cutoff || beam == kInfinity || attempt == kMaxAttempts) {
      out.complete = determinizer.is_complete();
      out.lattice = determinizer.result();
      return out;
    }
    const double less = std::max(beam * std::sqrt(std::max(done, 0.0) / beam), 0.5 * beam);
    std::ostringstream text;
    if (options.warn_of_retries)
      text << "Effective beam " << std::max(done, 0.0) << " was less than beam " << beam << " * cutoff "
           << options.retry_cutoff << ", pruning raw lattice with new beam " << less << " and retrying.";
    else
      text << "Pruned state-level lattice with beam " << less << " and retrying determinization with that beam.";
    out.messages.push_back({options.warn_of_retries ? Message::kWarning : Message::kLog, text.str()});
    beam = less;
    if (attempt == 1) pruned = lattice;
    prune(static_cast<float>(beam), &pruned);
  }
}

}  // namespace kaldi_bridge
