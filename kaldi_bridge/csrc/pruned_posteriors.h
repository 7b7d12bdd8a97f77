// Which Gaussians frames belong to: the few likeliest of each (hmm/posterior.cc, VectorToPosteriorEntry).

#pragma once

#include <cstdint>
#include <vector>

namespace kaldi_bridge {

struct PrunedPosteriors {
  std::vector<int64_t> counts;       // of each frame
  std::vector<int32_t> gaussians;    // frame after frame, the likeliest first
  std::vector<float> posteriors;     // which sum to 1
  std::vector<float> likelihoods;    // of each frame, the logarithm, over those kept
};

// Of log-likelihoods [frames, gaussians]: at most `most` of a frame, and none below least[frame], from 0 to below 1.
// Throws std::invalid_argument for a frame whose largest one is not finite.
PrunedPosteriors pruned_posteriors(const float *log_likelihoods, int64_t frames, int64_t gaussians, int64_t most,
                                   const float *least);

}  // namespace kaldi_bridge
