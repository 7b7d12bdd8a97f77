#include "lattice.h"

#include <algorithm>

namespace kaldi_bridge {

void prune(double beam, Lattice *lattice) {
  if (lattice->empty()) return;
  const std::vector<double> to_end = costs_to_end(*lattice);
  const double cutoff = to_end[0] + beam;
  std::vector<double> from_start(lattice->size(), kInfinity);
  from_start[0] = 0.0;
  for (size_t s = 0; s < lattice->size(); s++) {
    State &state = (*lattice)[s];
    if (from_start[s] + state.final.total() > cutoff) state.final = kNoCost;
    auto keep = [&](const Arc &arc) {
      const double cost = from_start[s] + arc.cost.total();
      if (!(cost + to_end[arc.next] <= cutoff)) return false;
      from_start[arc.next] = std::min(from_start[arc.next], cost);
      return true;
    };
    state.arcs.erase(std::remove_if(state.arcs.begin(), state.arcs.end(), [&](const Arc &a) { return !keep(a); }),
                     state.arcs.end());
  }
  sort_topologically(lattice);
}

}  // namespace kaldi_bridge
