// Lattices as text, as OpenFst prints FSTs whose weights are those of lat/kaldi-lattice.h: the start state first, and no
// weights that are zero.

#pragma once

#include <string>

#include "flat_lattice.h"

namespace kaldi_bridge {

std::string text_of(const FlatLattice &lattice);
std::string text_of(const FlatCompactLattice &lattice);

}  // namespace kaldi_bridge
