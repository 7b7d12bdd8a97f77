// Sums for the estimation of an i-vector (OnlineIvectorEstimationStats::AccStats).

#pragma once

#include <cstdint>

namespace kaldi_bridge {

// Of an extractor; arrays [gaussians, dim, size] and [gaussians, size (size + 1) / 2].
struct ExtractorProducts {
  const double *linear, *quadratic;
  int64_t gaussians, dim, size;
};

// Adds frames [frames, dim] with their weights [frames, gaussians] to the linear term [size] and the quadratic one
// [size (size + 1) / 2]. Returns the sum of the weights.
double add_frames(const ExtractorProducts &extractor, const float *feats, const float *weights, int64_t frames,
                  double *linear, double *quadratic);

}  // namespace kaldi_bridge
