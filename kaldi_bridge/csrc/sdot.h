// Dot products, rounded as those of Kaldi: by OpenBLAS's cblas_sdot on processors with AVX2.

#pragma once

#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define KALDI_BRIDGE_FMA 1
#endif

namespace kaldi_bridge {

namespace sdot_parts {

constexpr int64_t SIZE = 32;

// 32 sums of products x y, by multiplication and addition that round once: here in double precision.
inline void sums_of_products(const float *x, const float *y, int64_t n, float *sums) {
  for (int64_t l = 0; l < SIZE; l++) sums[l] = x[l] * y[l];
  for (int64_t i = SIZE; i < n; i += SIZE)
    for (int64_t l = 0; l < SIZE; l++) sums[l] = static_cast<float>(static_cast<double>(x[i + l]) * y[i + l] + sums[l]);
}

#ifdef KALDI_BRIDGE_FMA
// The same on processors that have such an instruction.
__attribute__((target("avx2,fma"))) inline void fused_sums_of_products(const float *x, const float *y, int64_t n,
                                                                       float *sums) {
  __m256 vectors[4];
  for (int64_t v = 0; v < 4; v++) vectors[v] = _mm256_mul_ps(_mm256_loadu_ps(x + 8 * v), _mm256_loadu_ps(y + 8 * v));
  for (int64_t i = SIZE; i < n; i += SIZE)
    for (int64_t v = 0; v < 4; v++)
      vectors[v] = _mm256_fmadd_ps(_mm256_loadu_ps(x + i + 8 * v), _mm256_loadu_ps(y + i + 8 * v), vectors[v]);
  for (int64_t v = 0; v < 4; v++) _mm256_storeu_ps(sums + 8 * v, vectors[v]);
}

inline const bool HAS_FMA = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif

// x . y of 32 numbers or a multiple: 32 sums, of which there are four vectors of eight.
inline float whole_blocks(const float *x, const float *y, int64_t n) {
  float sums[SIZE], quarter[4];
#ifdef KALDI_BRIDGE_FMA
  if (HAS_FMA)
    fused_sums_of_products(x, y, n, sums);
  else
#endif
    sums_of_products(x, y, n, sums);
  for (int64_t l = 0; l < 4; l++)
    quarter[l] = ((sums[l] + sums[l + 4]) + (sums[l + 8] + sums[l + 12])) +
                 ((sums[l + 16] + sums[l + 20]) + (sums[l + 24] + sums[l + 28]));
  return (quarter[0] + quarter[1]) + (quarter[2] + quarter[3]);
}

// x . y of fewer: products in single and sums in double precision, in which the order does not show.
inline double remainder(const float *x, const float *y, int64_t n) {
  double a = 0, b = 0, c = 0, d = 0;
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    a += x[i] * y[i];
    b += x[i + 1] * y[i + 1];
    c += x[i + 2] * y[i + 2];
    d += x[i + 3] * y[i + 3];
  }
  for (; i < n; i++) a += x[i] * y[i];
  return (a + b) + (c + d);
}

}  // namespace sdot_parts

// Of n numbers.
inline float sdot(const float *x, const float *y, int64_t n) {
  const int64_t whole = n / 32 * 32;
  const float head = whole > 0 ? sdot_parts::whole_blocks(x, y, whole) : 0;
  return static_cast<float>(sdot_parts::remainder(x + whole, y + whole, n - whole) + head);
}

}  // namespace kaldi_bridge
