// A lattice that grows from the arcs of another one, whose words and transition-ids they keep.

#pragma once

#include <cstdint>
#include <vector>

#include "flat_lattice.h"

namespace kaldi_bridge {

class RescoredLattice {
 public:
  struct Arc {
    int64_t source;  // the number of the arc in the other lattice
    float graph, acoustic;
    int32_t next;

    double cost() const { return static_cast<double>(graph) + acoustic; }
  };

  explicit RescoredLattice(const FlatCompactLattice &source) : source_(source) {}

  int32_t num_states() const { return static_cast<int32_t>(arcs_.size()); }
  const std::vector<Arc> &arcs(int32_t state) const { return arcs_[state]; }
  const Weight &final(int32_t state) const { return finals_[state]; }

  // The first one is the start state.
  void add_state() {
    arcs_.emplace_back();
    finals_.push_back({kNotFinal, kNotFinal});
    final_sources_.push_back(0);
  }

  // The final cost of a state of the other lattice, with a graph cost added; arcs alike.
  void set_final(int32_t state, int32_t source, float cost) {
    finals_[state] = {source_.finals[source].graph + cost, source_.finals[source].acoustic};
    final_sources_[state] = source;
  }
  void add_arc(int32_t state, int64_t source, float cost, int32_t next) {
    arcs_[state].push_back({source, source_.arcs[source].graph + cost, source_.arcs[source].acoustic, next});
  }

  FlatCompactLattice flat() const {
    FlatCompactLattice made;
    made.start = num_states() > 0 ? 0 : -1;
    made.finals = finals_;
    made.offsets.assign(1, 0);
    made.string_offsets.assign(1, 0);
    for (const std::vector<Arc> &arcs : arcs_) {
      for (const Arc &arc : arcs) {
        made.arcs.push_back({source_.arcs[arc.source].label, arc.graph, arc.acoustic, arc.next});
        add_string(arc.source, &made);
      }
      made.offsets.push_back(static_cast<int64_t>(made.arcs.size()));
    }
    for (int32_t s = 0; s < num_states(); s++) {
      if (is_final(finals_[s]))
        add_string(static_cast<int64_t>(source_.arcs.size()) + final_sources_[s], &made);
      else
        made.string_offsets.push_back(static_cast<int64_t>(made.strings.size()));
    }
    return made;
  }

 private:
  void add_string(int64_t number, FlatCompactLattice *made) const {
    made->strings.insert(made->strings.end(), source_.strings.begin() + source_.string_offsets[number],
                         source_.strings.begin() + source_.string_offsets[number + 1]);
    made->string_offsets.push_back(static_cast<int64_t>(made->strings.size()));
  }

  const FlatCompactLattice &source_;
  std::vector<std::vector<Arc>> arcs_;
  std::vector<Weight> finals_;
  std::vector<int32_t> final_sources_;
};

}  // namespace kaldi_bridge
