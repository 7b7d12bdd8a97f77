#include "lattice_order.h"

#include <utility>

namespace kaldi_bridge {

FlatLattice renumbered(const FlatLattice &lattice, const std::vector<int32_t> &numbers) {
  std::vector<int32_t> states(numbers.size());
  for (size_t s = 0; s < numbers.size(); s++) states[numbers[s]] = static_cast<int32_t>(s);
  FlatLattice made;
  made.start = lattice.start < 0 ? -1 : numbers[lattice.start];
  made.offsets = {0};
  made.arcs.reserve(lattice.arcs.size());
  for (const int32_t state : states) {
    for (FlatArc arc : arcs_of(lattice, state)) {
      arc.nextstate = numbers[arc.nextstate];
      made.arcs.push_back(arc);
    }
    made.offsets.push_back(static_cast<int64_t>(made.arcs.size()));
    const Weight &final = lattice.finals[state];
    made.finals.push_back(is_final(final) ? final : Weight{kNotFinal, kNotFinal});
  }
  return made;
}

FlatLattice top_sorted(FlatLattice &&lattice) {
  const std::vector<int32_t> next = next_states(lattice);
  const std::vector<int32_t> order = topological_order(arc_lists(lattice, next));
  bool sorted = true;
  for (size_t s = 0; s < order.size(); s++) sorted = sorted && order[s] == static_cast<int32_t>(s);
  return sorted ? std::move(lattice) : renumbered(lattice, order);
}

std::vector<double> arc_costs(const FlatLattice &lattice) {
  std::vector<double> costs;
  costs.reserve(lattice.arcs.size());
  for (const FlatArc &arc : lattice.arcs) costs.push_back(double{arc.graph} + arc.acoustic);
  return costs;
}

std::vector<double> final_costs(const FlatLattice &lattice) {
  std::vector<double> costs;
  costs.reserve(lattice.finals.size());
  for (const Weight &weight : lattice.finals)
    costs.push_back(is_final(weight) ? double{weight.graph} + weight.acoustic : double{kNotFinal});
  return costs;
}

std::vector<int32_t> next_states(const FlatLattice &lattice) {
  std::vector<int32_t> next;
  next.reserve(lattice.arcs.size());
  for (const FlatArc &arc : lattice.arcs) next.push_back(arc.nextstate);
  return next;
}

}  // namespace kaldi_bridge
