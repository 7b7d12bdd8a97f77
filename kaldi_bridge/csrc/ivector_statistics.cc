#include "ivector_statistics.h"

#include <algorithm>
#include <vector>

namespace kaldi_bridge {

double add_frames(const ExtractorProducts &extractor, const float *feats, const float *weights, int64_t frames,
                  double *linear, double *quadratic) {
  const auto add_scaled = [](double scale, const double *x, double *sum, int64_t n) {
    for (int64_t i = 0; i < n; i++) sum[i] += scale * x[i];
  };
  const int64_t dim = extractor.dim, size = extractor.size, triangle = size * (size + 1) / 2;
  std::vector<double> sums(dim);
  double total = 0.0;
  for (int64_t g = 0; g < extractor.gaussians; g++) {
    bool used = false;
    double count = 0.0;
    for (int64_t t = 0; t < frames; t++) {
      const double weight = weights[t * extractor.gaussians + g];
      if (weight == 0.0) continue;
      if (!used) std::fill(sums.begin(), sums.end(), 0.0);
      used = true;
      count += weight;
      for (int64_t i = 0; i < dim; i++) sums[i] += weight * feats[t * dim + i];
    }
    if (!used) continue;
    for (int64_t i = 0; i < dim; i++) add_scaled(sums[i], extractor.linear + (g * dim + i) * size, linear, size);
    add_scaled(count, extractor.quadratic + g * triangle, quadratic, triangle);
    total += count;
  }
  return total;
}

}  // namespace kaldi_bridge
