#include "composition.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace kaldi_bridge {

namespace {

using LabelOf = int32_t FlatArc::*;

Weight times(const Weight &a, const Weight &b) { return {a.graph + b.graph, a.acoustic + b.acoustic}; }

bool is_sorted(const FlatLattice &lattice, LabelOf label) {
  for (int32_t s = 0; s < lattice.num_states(); s++)
    for (int64_t i = lattice.offsets[s] + 1; i < lattice.offsets[s + 1]; i++)
      if (lattice.arcs[i - 1].*label > lattice.arcs[i].*label) return false;
  return true;
}

using Arcs = ArcRange<FlatArc>;

// Of arcs that are sorted by `side`, those with this label.
Arcs with_label(const Arcs &arcs, LabelOf side, int32_t label) {
  const FlatArc *first =
      std::lower_bound(arcs.first, arcs.last, label, [&](const FlatArc &arc, int32_t l) { return arc.*side < l; });
  const FlatArc *last = first;
  while (last != arcs.last && last->*side == label) ++last;
  return {first, last};
}

class Composition {
 public:
  Composition(const FlatLattice &first, const FlatLattice &second, Fallback fallback, int32_t label, bool acceptor)
      : first_(first), second_(second), fallback_(fallback), label_(label), acceptor_(acceptor) {}

  FlatLattice run(bool first_sorted, bool second_sorted) {
    FlatLattice made;
    made.offsets.assign(1, 0);
    if (first_.start < 0 || second_.start < 0) return made;
    made.start = find({first_.start, second_.start, false});
    for (size_t i = 0; i < states_.size(); i++) {
      const State state = states_[i];
      made.finals.push_back(final_of(state));
      const Arcs one = arcs_of(first_, state.first), other = arcs_of(second_, state.second);
      const bool fewer = one.last - one.first <= other.last - other.first;
      if (second_sorted && (!first_sorted || fewer))
        look_up_in_second(state, one, other);
      else
        look_up_in_first(state, one, other);
      made.arcs.insert(made.arcs.end(), out_.begin(), out_.end());
      made.offsets.push_back(static_cast<int64_t>(made.arcs.size()));
      out_.clear();
    }
    return made;
  }

 private:
  struct State {
    int32_t first, second;
    bool after_alone;  // arcs of the second lattice without input label have been taken where the first had such, too
  };

  int32_t find(const State &state) {
    const uint64_t key = (static_cast<uint64_t>(state.first) << 1 | state.after_alone) << 32 |
                         static_cast<uint32_t>(state.second);
    const auto [place, is_new] = numbers_.try_emplace(key, static_cast<int32_t>(states_.size()));
    if (is_new) states_.push_back(state);
    return place->second;
  }

  Weight final_of(const State &state) const {
    const Weight &one = first_.finals[state.first], &other = second_.finals[state.second];
    return is_final(one) && is_final(other) ? times(one, other) : Weight{kNotFinal, kNotFinal};
  }

  void add(int32_t ilabel, int32_t olabel, const Weight &weight, const State &next) {
    out_.push_back({ilabel, olabel, weight.graph, weight.acoustic, find(next)});
  }

  void first_alone(const State &state, const FlatArc &arc) {
    if (!state.after_alone) add(arc.ilabel, 0, {arc.graph, arc.acoustic}, {arc.nextstate, state.second, false});
  }

  void second_alone(const State &state, const Arcs &one, const FlatArc &arc) {
    const bool any = std::any_of(one.begin(), one.end(), [](const FlatArc &a) { return a.olabel == 0; });
    const bool all = std::all_of(one.begin(), one.end(), [](const FlatArc &a) { return a.olabel == 0; });
    if (all && !is_final(first_.finals[state.first])) return;
    add(0, arc.olabel, {arc.graph, arc.acoustic}, {state.first, arc.nextstate, any});
  }

  void both(const FlatArc &one, const FlatArc &other, int32_t olabel, const Weight &weight) {
    add(one.ilabel, olabel, times({one.graph, one.acoustic}, weight), {one.nextstate, other.nextstate, false});
  }

  void look_up_in_second(const State &state, const Arcs &one, const Arcs &other) {
    for (const FlatArc &arc : with_label(other, &FlatArc::ilabel, 0)) second_alone(state, one, arc);
    for (const FlatArc &arc : one) {
      if (arc.olabel == 0)
        first_alone(state, arc);
      else
        match(state.second, arc);
    }
  }

  void look_up_in_first(const State &state, const Arcs &one, const Arcs &other) {
    for (const FlatArc &arc : with_label(one, &FlatArc::olabel, 0)) first_alone(state, arc);
    for (const FlatArc &arc : other) {
      if (arc.ilabel == 0)
        second_alone(state, one, arc);
      else
        for (const FlatArc &match : with_label(one, &FlatArc::olabel, arc.ilabel))
          both(match, arc, arc.olabel, {arc.graph, arc.acoustic});
    }
  }

  // What of the arcs out of a state of the second lattice goes with an arc of the first that has an output label.
  void match(int32_t state, const FlatArc &arc) {
    if (fallback_ != Fallback::kNone && arc.olabel == label_)
      throw std::invalid_argument("it has the label " + std::to_string(label_) + " that stands for any other");
    Arcs found = with_label(arcs_of(second_, state), &FlatArc::ilabel, arc.olabel);
    if (found.empty() && fallback_ == Fallback::kRho) {
      for (const FlatArc &other : with_label(arcs_of(second_, state), &FlatArc::ilabel, label_))
        both(arc, other, acceptor_ ? arc.olabel : other.olabel, {other.graph, other.acoustic});
      return;
    }
    Weight backoff = {0.0f, 0.0f};
    for (int32_t steps = 0; found.empty() && fallback_ == Fallback::kPhi; steps++) {
      const Arcs phi = with_label(arcs_of(second_, state), &FlatArc::ilabel, label_);
      if (phi.empty()) return;
      if (phi.last - phi.first > 1 || steps > second_.num_states())
        throw std::invalid_argument("a state has several arcs with the backoff label, or these go round in a circle");
      backoff = times(backoff, {phi.first->graph, phi.first->acoustic});
      state = phi.first->nextstate;
      found = with_label(arcs_of(second_, state), &FlatArc::ilabel, arc.olabel);
    }
    for (const FlatArc &other : found) both(arc, other, other.olabel, times(backoff, {other.graph, other.acoustic}));
  }

  const FlatLattice &first_, &second_;
  const Fallback fallback_;
  const int32_t label_;
  const bool acceptor_;
  std::vector<State> states_;
  std::unordered_map<uint64_t, int32_t> numbers_;
  std::vector<FlatArc> out_;  // of the state at hand
};

}  // namespace

Composer::Composer(FlatLattice second, Fallback fallback, int32_t label)
    : second_(std::move(second)),
      fallback_(fallback),
      label_(label),
      sorted_(is_sorted(second_, &FlatArc::ilabel)),
      acceptor_(std::all_of(second_.arcs.begin(), second_.arcs.end(),
                            [](const FlatArc &arc) { return arc.ilabel == arc.olabel; })) {
  if (fallback != Fallback::kNone && !sorted_)
    throw std::invalid_argument("arcs to fall back on need arcs that are sorted by input label");
}

FlatLattice Composer::compose(const FlatLattice &first) const {
  const bool falls_back = fallback_ != Fallback::kNone;
  const bool first_sorted = !falls_back && is_sorted(first, &FlatArc::olabel);
  if (!first_sorted && !sorted_) throw std::invalid_argument("neither lattice has its arcs sorted by the labels to match");
  return Composition(first, second_, fallback_, label_, acceptor_).run(first_sorted, sorted_);
}

std::vector<int64_t> sorted_arcs(const std::vector<int64_t> &offsets, const int32_t *first, const int32_t *second) {
  using Entry = std::tuple<int32_t, int32_t, int64_t>;
  std::vector<Entry> arcs(offsets.back());
  for (int64_t i = 0; i < offsets.back(); i++) arcs[i] = {first[i], second[i], i};
  for (size_t s = 0; s + 1 < offsets.size(); s++)
    std::sort(arcs.begin() + offsets[s], arcs.begin() + offsets[s + 1], [](const Entry &a, const Entry &b) {
      return std::get<0>(a) != std::get<0>(b) ? std::get<0>(a) < std::get<0>(b) : std::get<1>(a) < std::get<1>(b);
    });
  std::vector<int64_t> order;
  order.reserve(arcs.size());
  for (const Entry &arc : arcs) order.push_back(std::get<2>(arc));
  return order;
}

}  // namespace kaldi_bridge
