#include "stochasticity.h"

#include <algorithm>
#include <cmath>

namespace kaldi_bridge {
namespace {

float log_plus(float a, float b) {
  if (a == kNoEnd) return b;
  if (b == kNoEnd) return a;
  const float low = std::min(a, b), difference = std::max(a, b) - low;
  return static_cast<float>(low - std::log1p(std::exp(-static_cast<double>(difference))));
}

}  // namespace

std::pair<float, float> costs_out(const FstView &fst, bool in_log) {
  float least = 0.0f, most = 0.0f;
  for (int32_t s = 0; s < fst.num_states; s++) {
    float sum = fst.finals[s];
    for (const FstArc *arc = fst.begin(s); arc != fst.end(s); arc++)
      sum = in_log ? log_plus(sum, arc->weight) : std::min(sum, arc->weight);
    least = s == 0 ? sum : std::min(least, sum);
    most = s == 0 ? sum : std::max(most, sum);
  }
  return {least, most};
}

}  // namespace kaldi_bridge
