#include "gaussian_shares.h"

#include <algorithm>
#include <cmath>

namespace kaldi_bridge {
namespace {

constexpr int64_t kLanes = 8;

// Sums of a_i x_i - 1/2 b_i x_i^2, in lanes that compilers make vectors of.
float score(const float *a, const float *b, const float *x, const float *squares, int64_t n) {
  float sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int64_t l = 0; l < kLanes; l++) sums[l] += a[i + l] * x[i + l] + b[i + l] * squares[i + l];
  for (int64_t l = 0; i + l < n; l++) sums[l] += a[i + l] * x[i + l] + b[i + l] * squares[i + l];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

}  // namespace

GaussianShares gaussian_shares(const Gaussians &gaussians, const std::vector<FrameOfPdf> &pairs) {
  GaussianShares made;
  int64_t total = 0;
  for (const FrameOfPdf &pair : pairs) total += pair.count;
  made.shares.resize(total);
  float *shares = made.shares.data();
  std::vector<float> squares(gaussians.dim);  // times -1/2
  const float *squared = nullptr;
  for (const FrameOfPdf &pair : pairs) {
    if (pair.frame != squared)
      for (int64_t i = 0; i < gaussians.dim; i++) squares[i] = -0.5f * pair.frame[i] * pair.frame[i];
    squared = pair.frame;
    float best = -INFINITY, sum = 0.0f;
    for (int64_t k = 0; k < pair.count; k++) {
      const int64_t row = (pair.first + k) * gaussians.dim;
      shares[k] = gaussians.constants[pair.first + k] + score(gaussians.scaled_means + row, gaussians.inverse_variances + row,
                                                              pair.frame, squares.data(), gaussians.dim);
      best = shares[k] > best || std::isnan(shares[k]) ? shares[k] : best;
    }
    for (int64_t k = 0; k < pair.count; k++) sum += shares[k] = std::exp(shares[k] - best);
    for (int64_t k = 0; k < pair.count; k++) shares[k] /= sum;
    made.log_likelihoods.push_back(best + std::log(sum));
    shares += pair.count;
  }
  return made;
}

void add_shared_rows(const std::vector<Share> &shares, const float *table, int64_t dim, float *sums) {
  for (const Share &share : shares) {
    const float *row = table + share.gaussian * dim;
    float *sum = sums + share.frame * dim;
    for (int64_t i = 0; i < dim; i++) sum[i] += share.weight * row[i];
  }
}

}  // namespace kaldi_bridge
