// Products of float32 matrices by AMX, as exact as products in float32 are.
//
// AMX multiplies bfloat16, which has 8 of a float32's 24 bits. So each number is cut into three that have all of them,
// x = x_0 + x_1 + x_2, and of the nine products of parts six are summed, in float32:
//
//   a b = a_0 b_2 + a_1 b_1 + a_2 b_0 + a_0 b_1 + a_1 b_0 + a_0 b_0
//
// What is left out is below 2^-22 |a b|, and 2^-26 |a b| in the mean square, less than what one rounding is. Infinities become
// NaNs, as x_2 is one; parts below 1.2e-38 count as zero, as AMX has it.

#pragma once

#include <cstdint>

namespace nnet3_compat {

// x[row * row_stride + column * column_stride]; one of the strides is 1.
struct Strided {
  const float *x;
  int64_t rows, columns, row_stride, column_stride;
};

// Whether this processor can.
bool can_multiply();

// What is added up of each row of A while it is read, where not nullptr: its numbers, which takes a row_stride of 1, or their
// squares, which takes a column_stride of 1.
struct Totals {
  double *sums = nullptr, *squares = nullptr;

  Totals from(int64_t row) const {
    return {sums == nullptr ? nullptr : sums + row, squares == nullptr ? nullptr : squares + row};
  }
};

// C [a.rows, b.columns], C[row * stride + column], becomes A B + bias, or C + A B where ``add`` is true. bias: for each
// column, or nullptr. The numbers are the same for any num_threads.
void multiply(const Strided &a, const Strided &b, const float *bias, bool add, int num_threads, float *c, int64_t stride,
              const Totals &totals = {});

}  // namespace nnet3_compat
