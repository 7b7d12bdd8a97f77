#include "full_gaussians.h"

#include "sdot.h"

namespace kaldi_bridge {

std::vector<float> full_log_likelihoods(const FullGaussians &gaussians, const std::vector<FrameOfGaussian> &pairs) {
  const int64_t dim = gaussians.dim, size = dim * (dim + 1) / 2;
  std::vector<float> made, products(size);
  made.reserve(pairs.size());
  const float *multiplied = nullptr;
  for (const auto &[x, gaussian] : pairs) {
    if (x != multiplied) {
      float *product = products.data();
      for (int64_t i = 0; i < dim; i++) {
        for (int64_t j = 0; j < i; j++) *product++ = x[i] * x[j];
        *product++ = 0.5f * (x[i] * x[i]);
      }
      multiplied = x;
    }
    made.push_back(gaussians.constants[gaussian] + sdot(gaussians.scaled_means + gaussian * dim, x, dim) -
                   sdot(products.data(), gaussians.precisions + gaussian * size, size));
  }
  return made;
}

}  // namespace kaldi_bridge
