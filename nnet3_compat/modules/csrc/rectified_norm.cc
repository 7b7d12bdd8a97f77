#include "rectified_norm.h"

#include <algorithm>
#include <vector>

#include "../../../kaldi_bridge/csrc/each_processor.h"
#include "../../folded/csrc/parallel.h"

namespace nnet3_compat {

namespace {

constexpr int64_t kBlock = 256;  // rows that are summed in single precision, and given to one thread

inline float rectified(float x) { return x < 0.0f ? 0.0f : x; }  // what is no number stays

// Four rows at a time, so that sums are read and written for every fourth row only.
FOR_EACH_PROCESSOR
void add_moments(const float *__restrict x, int64_t rows, int64_t dim, float *__restrict sum, float *__restrict squares,
                 float *__restrict positive) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    const float *a = x + r * dim, *b = a + dim, *c = b + dim, *d = c + dim;
    for (int64_t i = 0; i < dim; i++) {
      const float p = rectified(a[i]), q = rectified(b[i]), s = rectified(c[i]), t = rectified(d[i]);
      sum[i] += (p + q) + (s + t);
      squares[i] += (p * p + q * q) + (s * s + t * t);
      positive[i] += ((a[i] > 0.0f ? 1.0f : 0.0f) + (b[i] > 0.0f ? 1.0f : 0.0f)) +
                     ((c[i] > 0.0f ? 1.0f : 0.0f) + (d[i] > 0.0f ? 1.0f : 0.0f));
    }
  }
  for (; r < rows; r++)
    for (int64_t i = 0; i < dim; i++) {
      const float p = rectified(x[r * dim + i]);
      sum[i] += p;
      squares[i] += p * p;
      positive[i] += x[r * dim + i] > 0.0f ? 1.0f : 0.0f;
    }
}

FOR_EACH_PROCESSOR
void normalize_row(const float *__restrict x, const float *__restrict mean, const float *__restrict scale,
                   const float *__restrict mask, const float *__restrict bypass, float factor, int64_t dim,
                   float *__restrict y) {
  if (mask && bypass)
    for (int64_t i = 0; i < dim; i++) y[i] = (rectified(x[i]) - mean[i]) * scale[i] * mask[i] + factor * bypass[i];
  else if (mask)
    for (int64_t i = 0; i < dim; i++) y[i] = (rectified(x[i]) - mean[i]) * scale[i] * mask[i];
  else if (bypass)
    for (int64_t i = 0; i < dim; i++) y[i] = (rectified(x[i]) - mean[i]) * scale[i] + factor * bypass[i];
  else
    for (int64_t i = 0; i < dim; i++) y[i] = (rectified(x[i]) - mean[i]) * scale[i];
}

FOR_EACH_PROCESSOR
void add_gradients(const float *__restrict dy, const float *__restrict x, const float *__restrict mean,
                   const float *__restrict mask, int64_t dim, float *__restrict sum, float *__restrict product) {
  if (mask)
    for (int64_t i = 0; i < dim; i++) {
      const float h = dy[i] * mask[i];
      sum[i] += h;
      product[i] += h * (rectified(x[i]) - mean[i]);
    }
  else
    for (int64_t i = 0; i < dim; i++) {
      sum[i] += dy[i];
      product[i] += dy[i] * (rectified(x[i]) - mean[i]);
    }
}

struct Line {
  const float *mean, *scale, *offset, *slope, *push;
};

FOR_EACH_PROCESSOR
void gradient_row(const float *__restrict dy, float *__restrict x, const Line &line, const float *__restrict mask,
                  int64_t dim, float *__restrict squares) {
  const float *__restrict mean = line.mean, *__restrict scale = line.scale, *__restrict offset = line.offset,
                          *__restrict slope = line.slope, *__restrict push = line.push;
  if (mask)
    for (int64_t i = 0; i < dim; i++) {
      const float dz = scale[i] * (dy[i] * mask[i]) - offset[i] - slope[i] * (rectified(x[i]) - mean[i]);
      squares[i] += dz * dz;
      x[i] = (x[i] > 0.0f ? dz : 0.0f) + push[i];
    }
  else
    for (int64_t i = 0; i < dim; i++) {
      const float dz = scale[i] * dy[i] - offset[i] - slope[i] * (rectified(x[i]) - mean[i]);
      squares[i] += dz * dz;
      x[i] = (x[i] > 0.0f ? dz : 0.0f) + push[i];
    }
}

FOR_EACH_PROCESSOR
void scaled_row(const float *__restrict x, float factor, int64_t dim, float *__restrict y) {
  for (int64_t i = 0; i < dim; i++) y[i] = factor * x[i];
}

const float *row_of(const Mask &mask, int64_t row, int64_t dim) {
  return mask.values ? mask.values + row % mask.rows * dim : nullptr;
}

// work(first row, end, sums [count, dim] of zeros) for each block of rows; the sums of all blocks are added up in totals.
template <class Work>
void sum_blocks(const Matrix &size, int num_threads, int64_t count, double *const *totals, const Work &work) {
  const int64_t blocks = (size.rows + kBlock - 1) / kBlock, width = count * size.dim;
  std::vector<float> sums(blocks * width, 0.0f);
  in_parallel(blocks, num_threads, [&] {
    return [&](int64_t b) { work(b * kBlock, std::min(size.rows, (b + 1) * kBlock), &sums[b * width]); };
  });
  for (int64_t k = 0; k < count; k++) std::fill_n(totals[k], size.dim, 0.0);
  for (int64_t b = 0; b < blocks; b++)
    for (int64_t k = 0; k < count; k++)
      for (int64_t i = 0; i < size.dim; i++) totals[k][i] += sums[b * width + k * size.dim + i];
}

}  // namespace

void sum_rectified(const float *x, const Matrix &size, int num_threads, double *sum, double *squares, double *positive) {
  double *const totals[] = {sum, squares, positive};
  const int64_t dim = size.dim;
  sum_blocks(size, num_threads, 3, totals, [&](int64_t begin, int64_t end, float *sums) {
    add_moments(x + begin * dim, end - begin, dim, sums, sums + dim, sums + 2 * dim);
  });
}

void normalize_rectified(const float *x, const Matrix &size, const float *mean, const float *scale, const Mask &mask,
                         const float *bypass, float factor, int num_threads, float *y) {
  const int64_t dim = size.dim;
  in_parallel((size.rows + kBlock - 1) / kBlock, num_threads, [&] {
    return [&](int64_t b) {
      for (int64_t r = b * kBlock; r < std::min(size.rows, (b + 1) * kBlock); r++)
        normalize_row(x + r * dim, mean, scale, row_of(mask, r, dim), bypass ? bypass + r * dim : nullptr, factor, dim,
                      y + r * dim);
    };
  });
}

void sum_gradients(const float *dy, const float *x, const Matrix &size, const float *mean, const Mask &mask,
                   int num_threads, double *sum, double *product) {
  double *const totals[] = {sum, product};
  const int64_t dim = size.dim;
  sum_blocks(size, num_threads, 2, totals, [&](int64_t begin, int64_t end, float *sums) {
    for (int64_t r = begin; r < end; r++)
      add_gradients(dy + r * dim, x + r * dim, mean, row_of(mask, r, dim), dim, sums, sums + dim);
  });
}

void rectified_gradient(const float *dy, float *x, const Matrix &size, const float *mean, const float *scale,
                        const float *offset, const float *slope, const float *push, const Mask &mask, float factor,
                        int num_threads, float *bypass_gradient, double *squares) {
  const int64_t dim = size.dim;
  const Line line{mean, scale, offset, slope, push};
  sum_blocks(size, num_threads, 1, &squares, [&](int64_t begin, int64_t end, float *sums) {
    for (int64_t r = begin; r < end; r++) {
      gradient_row(dy + r * dim, x + r * dim, line, row_of(mask, r, dim), dim, sums);
      if (bypass_gradient) scaled_row(dy + r * dim, factor, dim, bypass_gradient + r * dim);
    }
  });
}

}  // namespace nnet3_compat
