// Log-likelihoods of frames by Gaussians with full covariances, rounded as Kaldi's (gmm/full-gmm.cc, LogLikelihoodsPreselect):
//
//   log N(x; m, C) = g + x . (P m) - sum_{j <= i} P_ij s_ij     with s_ij = x_i x_j, s_ii = x_i^2 / 2, the precision P = 1 / C

#pragma once

#include <cstdint>
#include <vector>

namespace kaldi_bridge {

struct FullGaussians {
  const float *constants;     // g
  const float *scaled_means;  // P m, [gaussians, dim]
  const float *precisions;    // lower triangles of P, [gaussians, dim (dim + 1) / 2]
  int64_t dim;
};

// Of the pairs of a frame [dim] and a Gaussian; those of one frame are best one after the other.
struct FrameOfGaussian {
  const float *frame;
  int64_t gaussian;
};

std::vector<float> full_log_likelihoods(const FullGaussians &gaussians, const std::vector<FrameOfGaussian> &pairs);

}  // namespace kaldi_bridge
