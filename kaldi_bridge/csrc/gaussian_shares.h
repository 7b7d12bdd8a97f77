// How frames are shared among the Gaussians of pdfs (gmm/diag-gmm.cc, ComponentPosteriors).

#pragma once

#include <cstdint>
#include <vector>

namespace kaldi_bridge {

// Gaussians with diagonal covariances; arrays [gaussians, dim].
struct Gaussians {
  const float *constants;           // of log-likelihoods, weights included
  const float *scaled_means;        // times the inverse variances
  const float *inverse_variances;
  int64_t dim;
};

// A frame, and some Gaussians one after the other.
struct FrameOfPdf {
  const float *frame;
  int64_t first, count;
};

struct GaussianShares {
  std::vector<float> shares;           // of each Gaussian of each pair, one pair after the other; they sum to 1 in each
  std::vector<float> log_likelihoods;  // of the pairs
};

GaussianShares gaussian_shares(const Gaussians &gaussians, const std::vector<FrameOfPdf> &pairs);

// What one Gaussian has of one frame.
struct Share {
  float weight;
  int64_t gaussian, frame;
};

// Adds to the sums of each frame [frames, dim] the Gaussians' rows of a table [gaussians, dim], times their shares.
void add_shared_rows(const std::vector<Share> &shares, const float *table, int64_t dim, float *sums);

}  // namespace kaldi_bridge
