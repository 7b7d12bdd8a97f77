// Dot products, rounded as those of Kaldi: by OpenBLAS's cblas_sdot on processors with AVX2.

#pragma once

#include <cstdint>

namespace kaldi_bridge {

namespace sdot_parts {

// x . y of 32 numbers or a multiple: 32 sums, of which there are four vectors of eight, by fused multiplication and addition.
inline float whole_blocks(const float *x, const float *y, int64_t n) {
  constexpr int64_t SIZE = 32;
  float sums[SIZE], quarter[4];
  for (int64_t l = 0; l < SIZE; l++) sums[l] = x[l] * y[l];
  for (int64_t i = SIZE; i < n; i += SIZE)
    for (int64_t l = 0; l < SIZE; l++) sums[l] = static_cast<float>(static_cast<double>(x[i + l]) * y[i + l] + sums[l]);
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
