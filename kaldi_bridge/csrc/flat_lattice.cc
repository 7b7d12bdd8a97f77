#include "flat_lattice.h"

#include <limits>
#include <utility>

namespace kaldi_bridge {

namespace {

template <class A>
std::vector<int32_t> next_states(const FlatStates<A> &lattice) {
  std::vector<int32_t> next(lattice.arcs.size());
  for (size_t i = 0; i < next.size(); i++) next[i] = lattice.arcs[i].nextstate;
  return next;
}

// What is built state by state, in any order.
template <class A>
struct Growing {
  std::vector<std::vector<A>> arcs;
  std::vector<Weight> finals;

  int32_t add() {
    arcs.emplace_back();
    finals.push_back({kNotFinal, kNotFinal});
    return static_cast<int32_t>(arcs.size()) - 1;
  }
};

struct Span {
  const int32_t *begin_, *end_;
  const int32_t *begin() const { return begin_; }
  const int32_t *end() const { return end_; }
  size_t size() const { return end_ - begin_; }
};

Span string_at(const FlatCompactLattice &lattice, int64_t i) {
  return {lattice.strings.data() + lattice.string_offsets[i], lattice.strings.data() + lattice.string_offsets[i + 1]};
}

Span final_string(const FlatCompactLattice &lattice, int32_t state) {
  return string_at(lattice, static_cast<int64_t>(lattice.arcs.size()) + state);
}

using String = std::vector<int32_t>;

void append(FlatCompactLattice *lattice, const int32_t *begin, const int32_t *end) {
  lattice->strings.insert(lattice->strings.end(), begin, end);
  lattice->string_offsets.push_back(static_cast<int64_t>(lattice->strings.size()));
}

}  // namespace

FlatLattice to_lattice(const FlatCompactLattice &lattice) {
  const int32_t n = lattice.num_states();
  FlatLattice made;
  made.start = lattice.start;
  made.finals.assign(n, {kNotFinal, kNotFinal});
  made.offsets.assign(1, 0);
  std::vector<FlatArc> inside;  // of the states inside chains, each of which has one, or none where a final weight ends
  std::vector<int64_t> inside_ends;
  bool is_first = true;
  // An arc to a new state, from the state at hand or the last one inside a chain.
  auto put = [&](const FlatArc &arc) {
    (is_first ? made.arcs : inside).push_back(arc);
    if (!is_first) inside_ends.push_back(static_cast<int64_t>(inside.size()));
    is_first = false;
  };
  auto new_state = [&](const Weight &final) {
    made.finals.push_back(final);
    return made.num_states() - 1;
  };
  for (int32_t s = 0; s < n; s++) {
    if (is_final(lattice.finals[s])) {
      const Span ids = final_string(lattice, s);
      FlatArc piece = {0, 0, lattice.finals[s].graph, lattice.finals[s].acoustic, 0};
      if (ids.size() == 0) made.finals[s] = lattice.finals[s];
      is_first = true;
      for (size_t k = 0; k < ids.size(); k++) {
        const bool is_last = k + 1 == ids.size();
        piece.ilabel = ids.begin()[k];
        piece.nextstate = new_state(is_last ? Weight{0.0f, 0.0f} : Weight{kNotFinal, kNotFinal});
        put(piece);
        piece.graph = piece.acoustic = 0.0f;
      }
      if (ids.size() > 0) inside_ends.push_back(static_cast<int64_t>(inside.size()));
    }
    for (int64_t i = lattice.offsets[s]; i < lattice.offsets[s + 1]; i++) {
      const FlatCompactArc &arc = lattice.arcs[i];
      const Span ids = string_at(lattice, i);
      FlatArc piece = {0, arc.label, arc.graph, arc.acoustic, 0};
      is_first = true;
      for (size_t k = 0; k + 1 < ids.size(); k++) {
        piece.ilabel = ids.begin()[k];
        piece.nextstate = new_state({kNotFinal, kNotFinal});
        put(piece);
        piece.olabel = 0;
        piece.graph = piece.acoustic = 0.0f;
      }
      piece.ilabel = ids.size() > 0 ? ids.begin()[ids.size() - 1] : 0;
      piece.nextstate = arc.nextstate;
      put(piece);
    }
    made.offsets.push_back(static_cast<int64_t>(made.arcs.size()));
  }
  const int64_t outside = static_cast<int64_t>(made.arcs.size());
  for (int64_t end : inside_ends) made.offsets.push_back(outside + end);
  made.arcs.insert(made.arcs.end(), inside.begin(), inside.end());
  return made;
}

FlatCompactLattice to_compact(const FlatLattice &lattice) {
  const int32_t n = lattice.num_states();
  std::vector<int32_t> incoming(n, 0);
  for (const FlatArc &arc : lattice.arcs) incoming[arc.nextstate]++;
  std::vector<char> inside(n);  // of a chain
  for (int32_t s = 0; s < n; s++)
    inside[s] = s != lattice.start && !is_final(lattice.finals[s]) && incoming[s] == 1 &&
                lattice.offsets[s + 1] == lattice.offsets[s] + 1 && lattice.arcs[lattice.offsets[s]].olabel == 0;
  const std::vector<int32_t> next = next_states(lattice);
  const DepthFirst search = depth_first({lattice.start, n, lattice.offsets.data(), next.data()});
  Growing<std::pair<FlatCompactArc, String>> growing;
  std::vector<int32_t> numbers(n, -1);
  auto number = [&](int32_t state) {
    if (numbers[state] < 0) numbers[state] = growing.add();
    return numbers[state];
  };
  for (int32_t s : search.found) {
    if (inside[s]) continue;
    const int32_t here = number(s);
    growing.finals[here] = is_final(lattice.finals[s]) ? lattice.finals[s] : Weight{kNotFinal, kNotFinal};
    for (int64_t i = lattice.offsets[s]; i < lattice.offsets[s + 1]; i++) {
      const FlatArc *arc = &lattice.arcs[i];
      FlatCompactArc joined = {arc->olabel, arc->graph, arc->acoustic, 0};
      String ids;
      if (arc->ilabel) ids.push_back(arc->ilabel);
      while (inside[arc->nextstate]) {
        arc = &lattice.arcs[lattice.offsets[arc->nextstate]];
        if (arc->ilabel) ids.push_back(arc->ilabel);
        joined.graph += arc->graph;
        joined.acoustic += arc->acoustic;
      }
      joined.nextstate = number(arc->nextstate);
      growing.arcs[here].emplace_back(joined, std::move(ids));
    }
  }
  FlatCompactLattice made;
  made.start = lattice.start >= 0 ? numbers[lattice.start] : -1;
  made.finals = std::move(growing.finals);
  made.offsets.assign(1, 0);
  made.string_offsets.assign(1, 0);
  for (const auto &out : growing.arcs) {
    for (const auto &[arc, ids] : out) {
      made.arcs.push_back(arc);
      append(&made, ids.data(), ids.data() + ids.size());
    }
    made.offsets.push_back(static_cast<int64_t>(made.arcs.size()));
  }
  made.string_offsets.resize(made.arcs.size() + made.finals.size() + 1, static_cast<int64_t>(made.strings.size()));
  return made;
}

}  // namespace kaldi_bridge
