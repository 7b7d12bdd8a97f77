// The acoustic costs of each (frame, transition-id) of a lattice straight from the search, so that they can be put back on the
// arcs after a determinization, which moves them (Kaldi's ComputeAcousticScoresMap, lat/lattice-functions.cc).

#pragma once

#include <unordered_map>

#include "lattice.h"

namespace kaldi_bridge {

class FrameScores {
 public:
  // Throws std::invalid_argument when the lattice is not in topological order, when paths to a state differ in length, or
  // where something other than a transition-id has an acoustic cost.
  explicit FrameScores(const Lattice &lattice);

  // Sets the acoustic costs of all arcs to the means of those kept; sorts the lattice topologically if it is not.
  // Throws std::invalid_argument where there is none.
  void put_back(Lattice *lattice) const;

 private:
  struct Mean {
    float sum = 0.0f;
    int32_t count = 0;
  };
  std::unordered_map<uint64_t, Mean> means_;  // by frame and transition-id
};

}  // namespace kaldi_bridge
