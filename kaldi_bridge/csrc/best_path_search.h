// Token passing that keeps the best path to each state only, for alignment.
//
// It follows Kaldi's FasterDecoder to the last tie: costs are in double precision, and of two ways to a state that cost the
// same the first one stays, in the order in which Kaldi's table of tokens goes through them. Such ties are common in the
// first passes of training, when states of silence are still alike or their transitions floored, and what they decide
// decides the next pass.

#pragma once

#include <cstdint>
#include <vector>

#include "graph.h"
#include "search.h"

namespace kaldi_bridge {

struct FoundPath {
  BestPath path;  // with an infinite cost where no token survived
  bool reached_final = false;
};

// Of scaled log-likelihoods [frames, pdfs], row after row. Of the options, the beam and the limits on tokens count.
FoundPath search_best_path(const Graph &graph, const SearchOptions &options, const float *log_likelihoods, int64_t frames,
                           int64_t pdfs, float scale);

}  // namespace kaldi_bridge
