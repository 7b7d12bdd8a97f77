// Log-likelihoods of mixtures from those of their Gaussians.

#pragma once

#include <cstdint>
#include <vector>

namespace kaldi_bridge {

// Of each frame and mixture log sum_g exp(scores[g, frame]), over the mixture's Gaussians: [frames, mixtures].
//
//   scores: [gaussians, frames], a mixture's Gaussians one after the other; sizes: how many each has, one at least.
//
// Not a number where a score is, or where all of a mixture's are minus infinity.
void sum_mixtures(const float *scores, int64_t frames, const std::vector<int64_t> &sizes, float *log_likelihoods);

}  // namespace kaldi_bridge
