#include "pruned_posteriors.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace kaldi_bridge {

PrunedPosteriors pruned_posteriors(const float *log_likelihoods, int64_t frames, int64_t gaussians, int64_t most,
                                   const float *least) {
  PrunedPosteriors made;
  std::vector<std::pair<float, int32_t>> found;  // log-likelihood and Gaussian
  const auto likelier = [](const auto &a, const auto &b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  };
  for (int64_t t = 0; t < frames; t++, log_likelihoods += gaussians) {
    const float best = *std::max_element(log_likelihoods, log_likelihoods + gaussians);
    const bool known = std::none_of(log_likelihoods, log_likelihoods + gaussians, [](float x) { return std::isnan(x); });
    if (!known || !std::isfinite(best))
      throw std::invalid_argument("a likelihood that is infinite or not a number: invalid features?");
    const float cutoff = best + std::log(least[t]);
    found.clear();
    for (int64_t g = 0; g < gaussians; g++)
      if (log_likelihoods[g] > cutoff || least[t] == 0.0f) found.emplace_back(log_likelihoods[g], g);
    const int64_t kept = std::min<int64_t>(found.size(), most);
    std::partial_sort(found.begin(), found.begin() + kept, found.end(), likelier);
    found.resize(kept);
    float total = 0.0f;
    for (auto &pair : found) {
      pair.first = std::exp(pair.first - best);
      total += pair.first;
    }
    const float smallest = least[t] * total;
    while (found.size() > 1 && found.back().first < smallest) {
      total -= found.back().first;
      found.pop_back();
    }
    made.counts.push_back(found.size());
    made.likelihoods.push_back(best + std::log(total));
    for (const auto &[posterior, gaussian] : found) {
      made.gaussians.push_back(gaussian);
      made.posteriors.push_back(posterior / total);
    }
  }
  return made;
}

}  // namespace kaldi_bridge
