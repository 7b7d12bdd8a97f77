// Lattices with the costs of a language model added to their graph costs: all paths, or the best ones only.

#pragma once

#include <cstdint>

#include "flat_lattice.h"
#include "language_model.h"

namespace kaldi_bridge {

// All paths that the model has (lat/lattice-functions.cc, ComposeCompactLatticeDeterministic), states in the order in which a
// search that is breadth-first finds them. Some states may not lead to the end.
FlatCompactLattice compose_with(const FlatCompactLattice &lattice, LanguageModel *model);

struct PrunedOptions {
  float beam = 6.0f;
  int32_t max_arcs = 100000;  // of the result, once there is a whole path
  float growth_ratio = 1.5f;  // how much larger the result may get before costs are estimated anew
};

// The paths that are probably best (lat/compose-lattice-pruned.cc). The lattice must be connected and have arcs to
// higher-numbered states only. From some states of the result there may be no way to the end.
FlatCompactLattice compose_pruned(const FlatCompactLattice &lattice, LanguageModel *model, const PrunedOptions &options);

}  // namespace kaldi_bridge
