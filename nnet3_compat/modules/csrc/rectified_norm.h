// Rectified linear units, batch normalization, a mask and a bypass, forward and backward: each in two passes over memory.
//
//   z = max(x, 0)        u = (z - mean) / deviation        y = u * mask * rms + factor * bypass
//
// per column of x [rows, dim]; mean and deviation are those of z over the rows. Backward, with g = dy * mask * rms:
//
//   dz = (g - mean(g) - u mean(g u)) / deviation            dx = [x > 0] dz + push
//
// The sums of each pass come out in double precision, added up in the same order for any number of threads.

#pragma once

#include <cstdint>

namespace nnet3_compat {

struct Matrix {
  int64_t rows, dim;
};

// Factors of y: row r has the row r modulo rows of the values [rows, dim]; nullptr: ones.
struct Mask {
  const float *values;
  int64_t rows;
};

// Per column the sums of z and z^2, and the number of rows in which x > 0.
void sum_rectified(const float *x, const Matrix &size, int num_threads, double *sum, double *squares, double *positive);

// y = scale (z - mean) mask + factor bypass; bypass may be nullptr.
void normalize_rectified(const float *x, const Matrix &size, const float *mean, const float *scale, const Mask &mask,
                         const float *bypass, float factor, int num_threads, float *y);

// Per column the sums of h = dy mask and of h (z - mean).
void sum_gradients(const float *dy, const float *x, const Matrix &size, const float *mean, const Mask &mask,
                   int num_threads, double *sum, double *product);

// dz = scale h - offset - slope (z - mean), whose squares are summed per column; dx takes the place of x.
// bypass_gradient, where not nullptr, becomes factor dy.
void rectified_gradient(const float *dy, float *x, const Matrix &size, const float *mean, const float *scale,
                        const float *offset, const float *slope, const float *push, const Mask &mask, float factor,
                        int num_threads, float *bypass_gradient, double *squares);

}  // namespace nnet3_compat
