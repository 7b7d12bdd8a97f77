// Lattices as text, as OpenFst prints FSTs whose weights are those of lat/kaldi-lattice.h: the start state first, and no
// weights that are zero.

#pragma once

#include <string>

#include "flat_lattice.h"

namespace kaldi_bridge {

// `precision`: digits of costs.
std::string text_of(const FlatLattice &lattice, int precision);
std::string text_of(const FlatCompactLattice &lattice, int precision);

}  // namespace kaldi_bridge
