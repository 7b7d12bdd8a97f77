#include "mixture_sums.h"

#include <algorithm>

#include "each_processor.h"

namespace kaldi_bridge {
namespace {

constexpr int64_t kFrames = 16;  // at a time: what the compiler makes one, two or four registers of
typedef float Values __attribute__((vector_size(kFrames * sizeof(float)), aligned(alignof(float))));
typedef int32_t Bits __attribute__((vector_size(kFrames * sizeof(int32_t)), aligned(alignof(int32_t))));

inline Values at(const float *values) { return *reinterpret_cast<const Values *>(values); }

// exp(x), x <= 0, and log(x), x >= 1, to the last bit or two: a power of two, and a polynomial (of least relative error) of
// what is left.

constexpr float kLeast = -87.0f;  // below, exp(x) counts as 0

__attribute__((always_inline)) inline Values exp_of(const Values &x) {
  constexpr float kRound = 12582912.0f;  // added, it leaves whole numbers, in the last bits
  const Values none = {}, bounded = x < kLeast ? none + kLeast : x;
  const Values shifted = bounded * 1.44269504f + kRound, n = shifted - kRound;
  const Values r = (bounded - n * 0.693359375f) + n * 2.12194440e-4f;
  const Values tail = 0.5f + r * (0.16666573f + r * (0.041666365f + r * (0.0083637762f + r * 0.0013942072f)));
  const Bits power = ((Bits)shifted << 23) + (127 << 23);
  return x < kLeast ? none : (1.0f + (r + r * r * tail)) * (Values)power;
}

__attribute__((always_inline)) inline Values log_of(const Values &x) {
  const Bits n = ((Bits)x - 0x3f3504f3) >> 23;  // the power of two next to it: from its root
  const Values f = (Values)((Bits)x - (n << 23)) - 1.0f;
  const Values high = f * (-0.16570645f + f * (0.14918318f + f * (-0.14306627f + f * 0.08732725f)));
  const Values tail = -0.49999992f + f * (0.33333951f + f * (-0.2500175f + f * (0.19962053f + high)));
  const Values y = __builtin_convertvector(n, Values) * 0.693147181f + (f + f * f * tail);
  return x == x ? y : x;
}

// Of kFrames frames; the scores of a Gaussian are `stride` after those of the one before, log_likelihoods[frame * step].
FOR_EACH_PROCESSOR
void sum_mixture(const float *scores, int64_t stride, int64_t size, float *log_likelihoods, int64_t step) {
  Values best = at(scores), sum = {};
  for (int64_t g = 1; g < size; g++) best = at(scores + g * stride) > best ? at(scores + g * stride) : best;
  for (int64_t g = 0; g < size; g++) sum += exp_of(at(scores + g * stride) - best);
  sum = best + log_of(sum);
  for (int64_t t = 0; t < kFrames; t++) log_likelihoods[t * step] = sum[t];
}

}  // namespace

void sum_mixtures(const float *scores, int64_t frames, const std::vector<int64_t> &sizes, float *log_likelihoods) {
  const int64_t mixtures = static_cast<int64_t>(sizes.size());
  std::vector<float> last, made;  // frames that are less than kFrames, and zeros after them
  for (int64_t begin = 0; begin < frames; begin += kFrames) {
    const int64_t count = std::min(kFrames, frames - begin);
    const float *from = scores + begin;
    float *to = log_likelihoods + begin * mixtures;
    for (int64_t m = 0; m < mixtures; from += sizes[m++] * frames) {
      if (count == kFrames) {
        sum_mixture(from, frames, sizes[m], to + m, mixtures);
        continue;
      }
      last.assign(sizes[m] * kFrames, 0.0f);
      made.resize(kFrames);
      for (int64_t g = 0; g < sizes[m]; g++) std::copy(from + g * frames, from + g * frames + count, &last[g * kFrames]);
      sum_mixture(last.data(), kFrames, sizes[m], made.data(), 1);
      for (int64_t t = 0; t < count; t++) to[t * mixtures + m] = made[t];
    }
  }
}

}  // namespace kaldi_bridge
