#include "nested_lattice.h"

namespace kaldi_bridge {

namespace {

template <class A>
void begin_flat(size_t num_states, FlatStates<A> *made) {
  made->start = num_states == 0 ? -1 : 0;
  made->offsets.assign(1, 0);
  made->finals.reserve(num_states);
}

// The numbers of the states when the start state is to be number 0.
template <class A>
auto numbering(const FlatStates<A> &flat) {
  return [start = flat.start](int32_t s) { return s == start ? 0 : s == 0 ? start : s; };
}

template <class A>
Cost final_of(const FlatStates<A> &flat, int32_t s) {
  const Cost cost = {flat.finals[s].graph, flat.finals[s].acoustic};
  return cost.is_infinite() ? kNoCost : cost;
}

}  // namespace

FlatLattice flat(const Lattice &lattice) {
  FlatLattice made;
  begin_flat(lattice.size(), &made);
  for (const State &state : lattice) {
    for (const Arc &arc : state.arcs) made.arcs.push_back({arc.tid, arc.word, arc.cost.graph, arc.cost.acoustic, arc.next});
    made.offsets.push_back(static_cast<int64_t>(made.arcs.size()));
    made.finals.push_back({state.final.graph, state.final.acoustic});
  }
  return made;
}

FlatCompactLattice flat(const CompactLattice &lattice) {
  FlatCompactLattice made;
  begin_flat(lattice.size(), &made);
  made.string_offsets.assign(1, 0);
  auto add_string = [&](const std::vector<int32_t> &tids) {
    made.strings.insert(made.strings.end(), tids.begin(), tids.end());
    made.string_offsets.push_back(static_cast<int64_t>(made.strings.size()));
  };
  for (const CompactState &state : lattice) {
    for (const CompactArc &arc : state.arcs) {
      made.arcs.push_back({arc.word, arc.cost.graph, arc.cost.acoustic, arc.next});
      add_string(arc.tids);
    }
    made.offsets.push_back(static_cast<int64_t>(made.arcs.size()));
    made.finals.push_back({state.final.graph, state.final.acoustic});
  }
  for (const CompactState &state : lattice) add_string(state.final_tids);
  return made;
}

Lattice nested(const FlatLattice &flat) {
  const auto number = numbering(flat);
  Lattice lattice(flat.num_states());
  for (int32_t s = 0; s < flat.num_states(); s++) {
    State &state = lattice[number(s)];
    state.final = final_of(flat, s);
    state.arcs.reserve(flat.offsets[s + 1] - flat.offsets[s]);
    for (int64_t i = flat.offsets[s]; i < flat.offsets[s + 1]; i++) {
      const FlatArc &arc = flat.arcs[i];
      state.arcs.push_back({arc.ilabel, arc.olabel, {arc.graph, arc.acoustic}, number(arc.nextstate)});
    }
  }
  return lattice;
}

CompactLattice nested(const FlatCompactLattice &flat) {
  const auto number = numbering(flat);
  auto string = [&](size_t i) {
    const int32_t *ids = flat.strings.data();
    return std::vector<int32_t>(ids + flat.string_offsets[i], ids + flat.string_offsets[i + 1]);
  };
  CompactLattice lattice(flat.num_states());
  for (int32_t s = 0; s < flat.num_states(); s++) {
    CompactState &state = lattice[number(s)];
    state.final = final_of(flat, s);
    state.final_tids = string(flat.arcs.size() + s);
    state.arcs.reserve(flat.offsets[s + 1] - flat.offsets[s]);
    for (int64_t i = flat.offsets[s]; i < flat.offsets[s + 1]; i++) {
      const FlatCompactArc &arc = flat.arcs[i];
      state.arcs.push_back({arc.label, {arc.graph, arc.acoustic}, string(i), number(arc.nextstate)});
    }
  }
  return lattice;
}

}  // namespace kaldi_bridge
