#include "acceptors.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "components.h"

namespace kaldi_bridge {

CompactFst compact(const FstView &fst) {
  CompactFst out;
  for (int32_t s = 0; s < fst.num_states; s++) {
    out.positions.push_back(static_cast<uint32_t>(out.elements.size()));
    if (std::isfinite(fst.finals[s])) out.elements.push_back({-1, fst.finals[s], -1});
    for (int64_t i = fst.offsets[s]; i < fst.offsets[s + 1]; i++) {
      const FstArc &arc = fst.arcs[i];
      if (arc.ilabel != arc.olabel) throw std::invalid_argument("its input and output labels differ");
      out.elements.push_back({arc.ilabel, arc.weight, arc.nextstate});
    }
  }
  out.positions.push_back(static_cast<uint32_t>(out.elements.size()));
  return out;
}

uint64_t properties(const FstView &fst) {
  const Components found(
      fst.start, fst.num_states, fst.offsets, [&](int64_t arc) { return fst.arcs[arc].nextstate; },
      [&](int32_t s) { return fst.finals[s] != INFINITY; });
  struct Side {
    bool deterministic = true, epsilons = false, sorted = true;
    std::vector<int32_t> labels;  // of one state
    void take(int32_t label) {
      sorted = sorted && (labels.empty() || labels.back() <= label);
      labels.push_back(label);
      epsilons = epsilons || label == 0;
    }
    void end_of_state() {
      if (!sorted) std::sort(labels.begin(), labels.end());
      deterministic = deterministic && std::adjacent_find(labels.begin(), labels.end()) == labels.end();
      labels.clear();
    }
  };
  Side input, output;
  bool acceptor = true, epsilons = false, weighted = false, weighted_cycles = false;
  bool top_sorted = true, string = fst.start <= 0, has_final = false;
  for (int32_t s = 0; s < fst.num_states; s++) {
    for (int64_t i = fst.offsets[s]; i < fst.offsets[s + 1]; i++) {
      const FstArc &arc = fst.arcs[i];
      input.take(arc.ilabel);
      output.take(arc.olabel);
      acceptor = acceptor && arc.ilabel == arc.olabel;
      epsilons = epsilons || (arc.ilabel == 0 && arc.olabel == 0);
      const bool costs = arc.weight != 0.0f && arc.weight != INFINITY;
      weighted = weighted || costs;
      weighted_cycles = weighted_cycles || (costs && found.component[s] == found.component[arc.nextstate]);
      top_sorted = top_sorted && arc.nextstate > s;
      string = string && arc.nextstate == s + 1;
    }
    input.end_of_state();
    output.end_of_state();
    const bool is_final = fst.finals[s] != INFINITY;
    string = string && !has_final && (is_final || fst.offsets[s + 1] - fst.offsets[s] == 1);
    weighted = weighted || (is_final && fst.finals[s] != 0.0f);
    has_final = has_final || is_final;
  }
  // From bit 16 on, two bits for each: it holds, it does not.
  const bool all[] = {acceptor,         input.deterministic,  output.deterministic, epsilons,
                      input.epsilons,   output.epsilons,      input.sorted,         output.sorted,
                      weighted,         found.cyclic,         found.initial_cyclic, top_sorted,
                      found.accessible, found.coaccessible,   string,               weighted_cycles};
  uint64_t bits = 1;  // all states are there ("expanded")
  int shift = 16;
  for (const bool holds : all) {
    bits |= uint64_t{holds ? 1u : 2u} << shift;
    shift += 2;
  }
  return bits;
}

PackedFst concatenate(const std::vector<FstView> &fsts) {
  std::vector<int64_t> first{0};  // where each acceptor's states begin among all
  for (const FstView &fst : fsts) first.push_back(first.back() + fst.num_states);
  for (const FstView &fst : fsts)
    if (std::isfinite(fst.finals[fst.start])) throw std::invalid_argument("it accepts nothing at all");

  PackedFst out;
  out.start = 0;
  struct Place {
    size_t fst;
    int32_t state;
  };
  std::vector<int32_t> number(first.back(), -1);  // of a state in the result, once it is known
  std::vector<Place> queue{{0, fsts[0].start}};
  number[fsts[0].start] = 0;
  // Adds the arcs of one state, the last one first; `cost`: of the end of the acceptor before, if they go on from there.
  const auto add_arcs = [&](size_t which, int32_t state, const float *cost) {
    const FstView &fst = fsts[which];
    for (int64_t i = fst.offsets[state + 1] - 1; i >= fst.offsets[state]; i--) {
      FstArc arc = fst.arcs[i];
      int32_t &target = number[first[which] + arc.nextstate];
      if (target < 0) {
        target = static_cast<int32_t>(queue.size());
        queue.push_back({which, arc.nextstate});
      }
      if (cost != nullptr) arc.weight += *cost;
      arc.nextstate = target;
      out.arcs.push_back(arc);
    }
  };
  for (size_t done = 0; done < queue.size(); done++) {
    const auto [which, state] = queue[done];
    const FstView &fst = fsts[which];
    const bool is_final = std::isfinite(fst.finals[state]), is_last = which + 1 == fsts.size();
    if (is_final && !is_last) add_arcs(which + 1, fsts[which + 1].start, &fst.finals[state]);
    add_arcs(which, state, nullptr);
    out.end_state(is_final && is_last ? fst.finals[state] : kNoEnd);
  }
  return out;
}

}  // namespace kaldi_bridge
