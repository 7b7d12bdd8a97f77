#include "lattice.h"

namespace kaldi_bridge {

void prune(float beam, Lattice *lattice) {
  if (lattice->empty()) return;
  std::vector<double> from_start(lattice->size(), kInfinity);
  from_start[0] = 0.0;
  double best = kInfinity;
  for (size_t s = 0; s < lattice->size(); s++) {
    for (const Arc &arc : (*lattice)[s].arcs)
      from_start[arc.next] = std::min(from_start[arc.next], from_start[s] + arc.cost.total());
    best = std::min(best, from_start[s] + (*lattice)[s].final.total());
  }
  const double cutoff = best + beam;
  const std::vector<double> to_end = costs_to_end(*lattice);
  for (size_t s = 0; s < lattice->size(); s++) {
    State &state = (*lattice)[s];
    if (state.final.total() + from_start[s] > cutoff) state.final = kNoCost;
    auto worse = [&](const Arc &arc) { return from_start[s] + (arc.cost.total() + to_end[arc.next]) > cutoff; };
    state.arcs.erase(std::remove_if(state.arcs.begin(), state.arcs.end(), worse), state.arcs.end());
  }
  connect(lattice);
}

}  // namespace kaldi_bridge
