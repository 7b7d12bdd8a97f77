// Best-first composition. A state of the result is a pair (lattice state, model state). The cost of the best path through an
// arc that is not yet there is estimated as
//
//     forward cost of the state + backward cost of its lattice state + delta + what the arc costs more than the state's best
//
// where delta says by how much the costs to the end differ with and without the model: known where the result leads to the
// end already, else that of the state before on the best path. Forward costs and deltas are computed anew whenever the
// result has grown by a ratio, so that this takes no more than a constant part of the time. Until there is a whole path,
// longer paths are preferred, by a large penalty on each state that is still to come. Costs of single precision are so here,
// since they decide what comes first.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <queue>
#include <set>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rescored_lattice.h"
#include "rescoring.h"

namespace kaldi_bridge {

namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr int32_t kFirstArcs = 100;         // after which costs are first estimated anew
constexpr float kPenaltyOfDepth = -1000.0f;  // until there is a whole path

double cost_of(const Weight &weight) { return static_cast<double>(weight.graph) + weight.acoustic; }

class PrunedComposition {
 public:
  PrunedComposition(const FlatCompactLattice &lattice, LanguageModel *model, const PrunedOptions &options)
      : lattice_(lattice), model_(*model), options_(options), made_(lattice) {
    if (!(options.growth_ratio > 1.0f)) throw std::invalid_argument("--growth-ratio must be greater than 1");
  }

  FlatCompactLattice run() {
    if (lattice_.start < 0 || model_.start() < 0) return made_.flat();
    rank_arcs();
    add_state(0, model_.start());
    queue_.emplace(0.0f, 0);
    while (best_ == kInfinite || num_arcs_ < options_.max_arcs) {
      estimate();
      const int32_t limit = arc_limit();
      while (num_arcs_ < limit && !queue_.empty()) {
        const int32_t state = queue_.top().second;
        queue_.pop();
        expand(state);
      }
      if (queue_.empty()) break;
    }
    return made_.flat();
  }

 private:
  struct LatticeState {
    double backward;
    std::vector<std::pair<float, int32_t>> ranked;  // how much more arcs cost than the best, and their numbers; -1: the end
    std::vector<int32_t> made;                      // its states in the result
  };

  struct State {
    int32_t lattice, history, depth = 0;
    double forward = 0.0, backward = kInfinite;
    float delta = 0.0f;
    int32_t before = -1;     // on the best path
    int32_t rank = 0;        // of the arc that is next
    float rank_cost = 0.0f;  // how much more than the best that costs
  };

  void rank_arcs() {
    of_lattice_.resize(lattice_.num_states());
    for (int32_t s = lattice_.num_states() - 1; s >= 0; s--) {
      std::vector<std::pair<double, int32_t>> costs;
      if (is_final(lattice_.finals[s])) costs.emplace_back(static_cast<float>(cost_of(lattice_.finals[s])), -1);
      for (int64_t i = lattice_.offsets[s]; i < lattice_.offsets[s + 1]; i++) {
        const FlatCompactArc &arc = lattice_.arcs[i];
        if (arc.nextstate <= s) throw std::invalid_argument("the lattice is not sorted");
        const double cost = of_lattice_[arc.nextstate].backward + (static_cast<double>(arc.graph) + arc.acoustic);
        costs.emplace_back(static_cast<float>(cost), static_cast<int32_t>(i - lattice_.offsets[s]));
      }
      if (costs.empty()) throw std::invalid_argument("a state of the lattice leads nowhere");
      std::sort(costs.begin(), costs.end());
      LatticeState &state = of_lattice_[s];
      state.backward = costs[0].first;
      for (const auto &[cost, arc] : costs) state.ranked.emplace_back(static_cast<float>(cost - state.backward), arc);
    }
    lattice_best_ = of_lattice_[0].backward;
  }

  int32_t add_state(int32_t state, int32_t history) {
    const int32_t number = made_.num_states();
    made_.add_state();
    states_.emplace_back();
    states_.back().lattice = state;
    states_.back().history = history;
    numbers_[pair_key(state, history)] = number;
    if (of_lattice_[state].made.empty()) reached_.insert(state);
    of_lattice_[state].made.push_back(number);
    return number;
  }

  int32_t arc_limit() const {
    if (num_arcs_ == 0) return kFirstArcs;
    const int32_t limit = std::max(static_cast<int32_t>(num_arcs_ * options_.growth_ratio), num_arcs_ + 1);
    return best_ < kInfinite ? std::min(limit, options_.max_arcs) : limit;
  }

  void estimate() {
    std::vector<int32_t> order;  // topological
    for (int32_t s : reached_) order.insert(order.end(), of_lattice_[s].made.begin(), of_lattice_[s].made.end());
    compute_forward(order);
    compute_backward(order);
    compute_deltas(order);
  }

  void compute_forward(const std::vector<int32_t> &order) {
    states_[0].depth = 0;
    for (size_t s = 1; s < states_.size(); s++) {
      states_[s].forward = kInfinite;
      states_[s].before = -1;
    }
    for (int32_t s : order) {
      for (const RescoredLattice::Arc &arc : made_.arcs(s)) {
        State &next = states_[arc.next];
        const double forward = states_[s].forward + arc.cost();
        if (next.forward > forward) {
          next.forward = forward;
          next.before = s;
          next.depth = states_[s].depth + 1;
        }
      }
    }
  }

  void compute_backward(const std::vector<int32_t> &order) {
    for (auto s = order.rbegin(); s != order.rend(); ++s) {
      double best = cost_of(made_.final(*s));
      for (const RescoredLattice::Arc &arc : made_.arcs(*s)) best = std::min(best, arc.cost() + states_[arc.next].backward);
      states_[*s].backward = best;
    }
    best_ = states_[0].backward;
    cutoff_ = static_cast<float>(best_ - lattice_best_ + options_.beam);
  }

  void compute_deltas(const std::vector<int32_t> &order) {
    for (State &state : states_)
      state.delta = static_cast<float>(state.backward - of_lattice_[state.lattice].backward + state.depth * depth_penalty_);
    std::vector<Entry> entries;
    for (int32_t s : order) {
      State &state = states_[s];
      if (!std::isfinite(state.delta))
        state.delta = state.before < 0 ? 0.0f : states_[state.before].delta + depth_penalty_;
      const float expected = static_cast<float>(state.forward + of_lattice_[state.lattice].backward + state.delta +
                                                state.rank_cost - lattice_best_);
      if (expected < cutoff_) entries.emplace_back(expected, s);
    }
    queue_ = Queue(entries.begin(), entries.end());
  }

  // Takes the next best arc of a state.
  void expand(int32_t number) {
    State &state = states_[number];
    const LatticeState &from = of_lattice_[state.lattice];
    const int32_t arc = from.ranked[state.rank].second;
    if (static_cast<size_t>(state.rank + 1) == from.ranked.size()) {
      state.rank = -1;
      state.rank_cost = std::numeric_limits<float>::infinity();
    } else {
      state.rank_cost = from.ranked[++state.rank].first;
      push(state.forward + from.backward + state.delta + state.rank_cost - lattice_best_, number);
    }
    if (arc < 0)
      end(number);
    else
      follow(number, lattice_.offsets[state.lattice] + arc);
  }

  void push(double expected, int32_t number) {
    if (static_cast<float>(expected) < cutoff_) queue_.emplace(static_cast<float>(expected), number);
  }

  void end(int32_t number) {
    State &state = states_[number];
    const float cost = model_.final(state.history);
    if (!(cost < kNotFinal)) return;
    made_.set_final(number, state.lattice, cost);
    state.backward = std::min(state.backward, cost_of(made_.final(number)));
    if (depth_penalty_ == 0.0f) return;
    depth_penalty_ = 0.0f;  // there is a whole path
    estimate();
  }

  void follow(int32_t number, int64_t arc) {
    const FlatCompactArc &taken = lattice_.arcs[arc];
    Step step = {states_[number].history, 0.0f};
    if (taken.label != 0 && !model_.follow(states_[number].history, taken.label, &step)) return;
    int32_t next;
    if (const auto known = numbers_.find(pair_key(taken.nextstate, step.next)); known != numbers_.end()) {
      next = known->second;
    } else {
      next = add_state(taken.nextstate, step.next);
      const State &before = states_[number];
      State &state = states_[next];
      state.depth = before.depth + 1;
      state.forward = before.forward + (static_cast<double>(taken.graph) + taken.acoustic) + step.cost;
      state.delta = before.delta + state.depth * depth_penalty_;
      push(state.forward + of_lattice_[taken.nextstate].backward + state.delta - lattice_best_, next);
    }
    made_.add_arc(number, arc, step.cost, next);
    num_arcs_++;
  }

  using Entry = std::pair<float, int32_t>;  // an estimated cost, and a state
  using Queue = std::priority_queue<Entry, std::vector<Entry>, std::greater<Entry>>;

  const FlatCompactLattice &lattice_;
  LanguageModel &model_;
  const PrunedOptions &options_;
  RescoredLattice made_;
  std::vector<LatticeState> of_lattice_;
  std::vector<State> states_;  // of the result
  std::unordered_map<uint64_t, int32_t> numbers_;
  std::set<int32_t> reached_;  // states of the lattice that the result has
  Queue queue_;
  int32_t num_arcs_ = 0;
  double lattice_best_ = 0.0, best_ = kInfinite;
  float cutoff_ = std::numeric_limits<float>::infinity(), depth_penalty_ = kPenaltyOfDepth;
};

}  // namespace

FlatCompactLattice compose_pruned(const FlatCompactLattice &lattice, LanguageModel *model, const PrunedOptions &options) {
  return PrunedComposition(lattice, model, options).run();
}

}  // namespace kaldi_bridge
