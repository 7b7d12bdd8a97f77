// Parts in time of lattices for discriminative training (nnet3/discriminative-supervision.cc), as
// kaldi_bridge/examples/discriminative_splitting.py describes them.

#pragma once

#include <cstdint>
#include <vector>

#include "flat_lattice.h"

namespace kaldi_bridge {

struct DiscriminativeSplittingOptions {
  double acoustic_scale;
  bool collapse_transition_ids, determinize, minimize;
};

// `properties`: what OpenFst knows of it.
struct LatticePart {
  FlatLattice lattice;
  uint64_t properties;
};

class DiscriminativeSplitter {
 public:
  // Of a lattice in topological order, whose transition-ids `id_to_pdf` must have. Throws std::invalid_argument where ways
  // to a state differ in length, states are out of reach, or there is no path of finite cost.
  DiscriminativeSplitter(const FlatLattice &lattice, std::vector<int32_t> id_to_pdf, int32_t num_pdfs,
                         const DiscriminativeSplittingOptions &options);

  // Frames first to end - 1; with `normalize` the costs of all paths together are 0. Throws std::invalid_argument where no
  // path of so many frames is left.
  LatticePart part(int32_t first, int32_t end, bool normalize) const;

 private:
  int32_t first_state(int32_t time) const;
  FlatLattice cut(int32_t first, int32_t end, bool normalize) const;
  uint64_t collapse(FlatLattice *part) const;

  DiscriminativeSplittingOptions options_;
  float scale_;
  std::vector<int32_t> id_to_pdf_;
  int32_t num_pdfs_;
  FlatLattice lattice_;                 // scaled, states by time
  std::vector<int64_t> times_;          // of its states
  std::vector<double> alphas_, betas_;  // see there
};

}  // namespace kaldi_bridge
