#include "fmllr_rows.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace kaldi_bridge {
namespace {

// In four sums, so that they need not wait for each other.
double dot(const double *x, const double *y, int64_t n) {
  double sums[4] = {};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (int64_t l = 0; l < 4; l++) sums[l] += x[i + l] * y[i + l];
  for (; i < n; i++) sums[0] += x[i] * y[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void add_scaled(double scale, const double *x, double *sum, int64_t n) {
  for (int64_t i = 0; i < n; i++) sum[i] += scale * x[i];
}

}  // namespace

double step_size(double e1, double e2, double beta) {
  const double root = std::sqrt(e2 * e2 + 4 * e1 * beta);
  const double first = (-e2 + root) / (2 * e1), second = (-e2 - root) / (2 * e1);
  const auto value = [&](double alpha) { return beta * std::log(std::abs(alpha * e1 + e2)) - 0.5 * alpha * alpha * e1; };
  return value(first) > value(second) ? first : second;
}

void update_rows(int64_t dim, const double *inverses, const double *linear, const double *shifts, double beta,
                 double *cofactors, double *transform) {
  const int64_t width = dim + 1;
  std::vector<double> cofactor(dim), direction(width), change(dim);
  for (int64_t i = 0; i < dim; i++) {
    std::copy(cofactors + i * dim, cofactors + (i + 1) * dim, cofactor.begin());
    std::fill(direction.begin(), direction.end(), 0.0);
    for (int64_t k = 0; k < dim; k++)  // the inverse is symmetric
      add_scaled(cofactor[k], inverses + (i * width + k) * width, direction.data(), width);
    const double alpha =
        step_size(dot(cofactor.data(), direction.data(), dim), dot(direction.data(), linear + i * width, width), beta);
    double *row = transform + i * width;
    for (int64_t k = 0; k < width; k++) {
      const double made = alpha * direction[k] + shifts[i * width + k];
      if (k < dim) change[k] = made - row[k];
      row[k] = made;
    }
    // The inverse after a change of one row (Sherman and Morrison).
    const double scale = -1.0 / dot(row, cofactor.data(), dim);
    for (int64_t j = 0; j < dim; j++) {
      double *other = cofactors + j * dim;
      add_scaled(scale * dot(other, change.data(), dim), cofactor.data(), other, dim);
    }
  }
}

}  // namespace kaldi_bridge
