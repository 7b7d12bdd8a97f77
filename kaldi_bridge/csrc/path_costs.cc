#include "path_costs.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

namespace kaldi_bridge {

double cheapest_cost(const FlatLattice &lattice, const std::vector<int32_t> &ids, const std::vector<int32_t> &words) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  using Place = std::tuple<int32_t, size_t, size_t>;  // a state, and how many ids and words come before it
  std::map<Place, double> costs;                      // arcs lead to larger places only
  double best = kInfinite;
  if (lattice.start >= 0) costs[{lattice.start, 0, 0}] = 0.0;
  while (!costs.empty()) {
    const auto [place, cost] = *costs.begin();
    costs.erase(costs.begin());
    const auto [state, i, w] = place;
    const Weight &end = lattice.finals[state];
    if (i == ids.size() && w == words.size() && is_final(end))
      best = std::min(best, cost + (static_cast<double>(end.graph) + end.acoustic));
    for (const FlatArc &arc : arcs_of(lattice, state)) {
      if (arc.ilabel != 0 && (i == ids.size() || ids[i] != arc.ilabel)) continue;
      if (arc.olabel != 0 && (w == words.size() || words[w] != arc.olabel)) continue;
      const double through = cost + arc.graph + arc.acoustic;
      const Place next = {arc.nextstate, i + (arc.ilabel != 0), w + (arc.olabel != 0)};
      double &known = costs.emplace(next, kInfinite).first->second;
      known = std::min(known, through);
    }
  }
  return best;
}

}  // namespace kaldi_bridge
