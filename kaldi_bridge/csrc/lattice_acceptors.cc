#include "lattice_acceptors.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <queue>
#include <stdexcept>
#include <unordered_map>
#include <utility>

namespace kaldi_bridge {
namespace {

constexpr float kDelta = 1.0f / 1024;            // in whose multiples costs of subsets are
constexpr float kShortestDelta = 1e-6f;          // improvements of distances up to this do not count
constexpr Weight kZero = {kNotFinal, kNotFinal};  // of what cannot happen

bool is_epsilon(const FlatArc &arc) { return arc.ilabel == 0; }

Weight plus(const Weight &a, const Weight &b) { return better(b, a) ? b : a; }

Weight times(const Weight &a, const Weight &b) { return {a.graph + b.graph, a.acoustic + b.acoustic}; }

Weight weight_of(const FlatArc &arc) { return {arc.graph, arc.acoustic}; }

bool nearly_equal(const Weight &a, const Weight &b) {
  if (a.graph == b.graph && a.acoustic == b.acoustic) return true;
  return std::fabs((a.graph + a.acoustic) - (b.graph + b.acoustic)) <= kShortestDelta;
}

FlatLattice flat(int32_t start, const std::vector<std::vector<FlatArc>> &arcs, std::vector<Weight> finals) {
  FlatLattice made;
  made.start = start;
  made.offsets = {0};
  for (const std::vector<FlatArc> &out : arcs) {
    made.arcs.insert(made.arcs.end(), out.begin(), out.end());
    made.offsets.push_back(static_cast<int64_t>(made.arcs.size()));
  }
  made.finals = std::move(finals);
  return made;
}

// Without states that are on no way from the start to an end; the others keep their order.
FlatLattice connected(int32_t start, const std::vector<std::vector<FlatArc>> &arcs, const std::vector<Weight> &finals) {
  const FlatLattice all = flat(start, arcs, finals);
  std::vector<int32_t> next;
  std::vector<double> ends;
  for (const FlatArc &arc : all.arcs) next.push_back(arc.nextstate);
  for (const Weight &weight : finals) ends.push_back(is_final(weight) ? 0.0 : kNotFinal);
  const std::vector<char> useful =
      useful_states({start, all.num_states(), all.offsets.data(), next.data()}, ends.data());
  std::vector<int32_t> numbers(useful.size(), -1);
  int32_t count = 0;
  for (size_t s = 0; s < useful.size(); s++)
    if (useful[s]) numbers[s] = count++;
  std::vector<std::vector<FlatArc>> kept;
  std::vector<Weight> kept_finals;
  for (size_t s = 0; s < useful.size(); s++) {
    if (!useful[s]) continue;
    kept.emplace_back();
    for (FlatArc arc : arcs[s])
      if ((arc.nextstate = numbers[arc.nextstate]) >= 0) kept.back().push_back(arc);
    kept_finals.push_back(finals[s]);
  }
  return flat(count ? numbers[start] : -1, kept, std::move(kept_finals));
}

// An arc but for its costs.
struct Step {
  int32_t label, nextstate;
  bool operator==(const Step &other) const { return label == other.label && nextstate == other.nextstate; }
};

struct StepHash {
  size_t operator()(const Step &step) const { return static_cast<size_t>(step.label) * 7853 + step.nextstate; }
};

// Replaces the arcs of one state after the other by those that can be reached through epsilons.
class EpsilonRemover {
 public:
  explicit EpsilonRemover(const FlatLattice &lattice) : finals(lattice.finals) {
    for (int32_t s = 0; s < lattice.num_states(); s++) {
      const auto out = arcs_of(lattice, s);
      arcs.emplace_back(out.begin(), out.end());
    }
    distances_.resize(arcs.size());
    reached_.assign(arcs.size(), 0);
    visited_.assign(arcs.size(), 0);
    rank_epsilons(lattice);
  }

  // States in an order in which epsilons lead forwards.
  const std::vector<int32_t> &order() const { return order_; }

  void expand(int32_t source) {
    round_++;
    measure(source);
    Weight final = kZero;
    std::vector<FlatArc> made;
    places_.clear();
    waiting_.assign(1, source);
    while (!waiting_.empty()) {
      const int32_t state = waiting_.back();
      waiting_.pop_back();
      if (visited_[state] == round_) continue;
      visited_[state] = round_;
      for (FlatArc arc : arcs[state]) {
        if (is_epsilon(arc)) {
          if (visited_[arc.nextstate] != round_) waiting_.push_back(arc.nextstate);
          continue;
        }
        const Weight weight = times(distances_[state], weight_of(arc));
        const auto [place, is_new] = places_.emplace(Step{arc.ilabel, arc.nextstate}, made.size());
        if (is_new) made.push_back(arc);
        FlatArc &kept = made[place->second];
        const Weight best = is_new ? weight : plus(weight_of(kept), weight);
        kept.graph = best.graph;
        kept.acoustic = best.acoustic;
      }
      final = plus(final, times(distances_[state], finals[state]));
    }
    std::reverse(made.begin(), made.end());
    arcs[source] = std::move(made);
    finals[source] = final;
  }

  std::vector<std::vector<FlatArc>> arcs;
  std::vector<Weight> finals;

 private:
  // The states' own numbers where all arcs lead to higher ones, else a topological order of the epsilons alone.
  void rank_epsilons(const FlatLattice &lattice) {
    const int32_t states = lattice.num_states();
    bool sorted = true;
    std::vector<int32_t> next;
    std::vector<int64_t> offsets = {0};
    for (int32_t s = 0; s < states; s++) {
      for (const FlatArc &arc : arcs_of(lattice, s)) {
        sorted = sorted && arc.nextstate > s;
        if (is_epsilon(arc)) next.push_back(arc.nextstate);
      }
      offsets.push_back(static_cast<int64_t>(next.size()));
    }
    for (int32_t s = 0; s < states; s++) rank_.push_back(s);
    if (!sorted) rank_ = topological_order({lattice.start, states, offsets.data(), next.data()});
    if (static_cast<int32_t>(rank_.size()) != states) throw std::invalid_argument("the lattice has a cycle of epsilons");
    order_.resize(states);
    for (int32_t s = 0; s < states; s++) order_[rank_[s]] = s;
  }

  // The costs of the best ways from the source through epsilons.
  void measure(int32_t source) {
    std::priority_queue<int32_t, std::vector<int32_t>, std::greater<int32_t>> ranks;
    reached_[source] = round_;
    distances_[source] = {0.0f, 0.0f};
    ranks.push(rank_[source]);
    while (!ranks.empty()) {
      const int32_t state = order_[ranks.top()];
      ranks.pop();
      for (const FlatArc &arc : arcs[state]) {
        if (!is_epsilon(arc)) continue;
        Weight &distance = distances_[arc.nextstate];
        const bool is_new = reached_[arc.nextstate] != round_;
        if (is_new) distance = kZero;
        const Weight sum = plus(distance, times(distances_[state], weight_of(arc)));
        if (is_new || !nearly_equal(distance, sum)) distance = sum;
        if (is_new) ranks.push(rank_[arc.nextstate]);
        reached_[arc.nextstate] = round_;
      }
    }
  }

  std::vector<int32_t> rank_, order_, waiting_;
  std::vector<Weight> distances_;
  std::vector<int32_t> reached_, visited_;  // in which round
  std::unordered_map<Step, size_t, StepHash> places_;
  int32_t round_ = 0;
};

// A state of the lattice, and what its best way costs more than what was given out already.
struct Element {
  int32_t state;
  Weight weight;
};

using Subset = std::vector<Element>;

struct SubsetLess {
  bool operator()(const Subset &a, const Subset &b) const {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](const Element &x, const Element &y) {
      if (x.state != y.state) return x.state < y.state;
      if (x.weight.graph != y.weight.graph) return x.weight.graph < y.weight.graph;
      return x.weight.acoustic < y.weight.acoustic;
    });
  }
};

float quantized(float cost) { return std::floor(cost / kDelta + 0.5f) * kDelta; }

// Sorts a subset, each state once with its best weight; takes the best weight of all out of it, and gives that.
Weight normalize(Subset &subset) {
  std::sort(subset.begin(), subset.end(), [](const Element &a, const Element &b) { return a.state < b.state; });
  Weight best = kZero;
  size_t last = 0;
  for (size_t i = 0; i < subset.size(); i++) {
    best = plus(best, subset[i].weight);
    if (i > 0 && subset[i].state == subset[last].state)
      subset[last].weight = plus(subset[last].weight, subset[i].weight);
    else
      subset[last = (i > 0 ? last + 1 : 0)] = subset[i];
  }
  subset.resize(last + 1);
  for (Element &element : subset)
    element.weight = {quantized(element.weight.graph - best.graph), quantized(element.weight.acoustic - best.acoustic)};
  return best;
}

}  // namespace

FlatLattice without_epsilons(const FlatLattice &lattice) {
  if (lattice.start < 0) return lattice;
  std::vector<char> entered(lattice.num_states(), 0);  // by another arc than an epsilon
  entered[lattice.start] = 1;
  for (const FlatArc &arc : lattice.arcs)
    if (!is_epsilon(arc)) entered[arc.nextstate] = 1;
  EpsilonRemover remover(lattice);
  for (auto state = remover.order().rbegin(); state != remover.order().rend(); ++state)
    if (entered[*state]) remover.expand(*state);
  for (int32_t s = 0; s < lattice.num_states(); s++)
    if (!entered[s]) remover.arcs[s].clear();
  return connected(lattice.start, remover.arcs, remover.finals);
}

FlatLattice determinized_acceptor(const FlatLattice &lattice) {
  if (lattice.start < 0) return lattice;
  std::map<Subset, int32_t, SubsetLess> numbers;
  std::vector<const Subset *> subsets;
  std::vector<std::vector<FlatArc>> arcs;
  std::vector<Weight> finals;
  const auto number_of = [&](Subset &&subset) {
    const auto [place, is_new] = numbers.emplace(std::move(subset), static_cast<int32_t>(subsets.size()));
    if (is_new) subsets.push_back(&place->first);
    return place->second;
  };
  number_of({{lattice.start, {0.0f, 0.0f}}});
  for (size_t s = 0; s < subsets.size(); s++) {
    const Subset &subset = *subsets[s];
    std::map<int32_t, Subset> by_label;
    Weight final = kZero;
    for (const Element &element : subset) {
      for (const FlatArc &arc : arcs_of(lattice, element.state))
        by_label[arc.ilabel].push_back({arc.nextstate, times(element.weight, weight_of(arc))});
      final = plus(final, times(element.weight, lattice.finals[element.state]));
    }
    arcs.emplace_back();
    finals.push_back(final);
    for (auto &[label, next] : by_label) {
      const Weight weight = normalize(next);
      arcs[s].push_back({label, label, weight.graph, weight.acoustic, number_of(std::move(next))});
    }
  }
  return flat(0, arcs, std::move(finals));
}

FlatLattice reversed(const FlatLattice &lattice) {
  const int32_t states = lattice.num_states();
  std::vector<std::vector<FlatArc>> arcs(states + 1);
  std::vector<Weight> finals(states + 1, kZero);
  for (int32_t s = 0; s < states; s++) {
    const Weight &final = lattice.finals[s];
    if (is_final(final)) arcs[0].push_back({0, 0, final.graph, final.acoustic, s + 1});
    for (const FlatArc &arc : arcs_of(lattice, s))
      arcs[arc.nextstate + 1].push_back({arc.ilabel, arc.olabel, arc.graph, arc.acoustic, s + 1});
  }
  if (lattice.start >= 0) finals[lattice.start + 1] = {0.0f, 0.0f};
  return flat(0, arcs, std::move(finals));
}

FlatLattice minimized_acceptor(const FlatLattice &lattice) {
  return without_epsilons(determinized_acceptor(reversed(determinized_acceptor(reversed(lattice)))));
}

}  // namespace kaldi_bridge
