#include "conjugate_gradients.h"

#include <algorithm>
#include <limits>

namespace kaldi_bridge {

namespace {

using Vector = std::vector<double>;

double dot(const double *x, const double *y, int64_t n) {
  double sum = 0.0;
  for (int64_t i = 0; i < n; i++) sum += x[i] * y[i];
  return sum;
}

// The whole matrix of its lower triangle.
Vector square(const double *triangle, int64_t n) {
  Vector a(n * n);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = *triangle++;
  return a;
}

// y += scale * A x, column by column, so that sums of several elements go on side by side.
void add_product(const Vector &a, const double *x, double scale, int64_t n, double *y) {
  for (int64_t j = 0; j < n; j++) {
    const double factor = scale * x[j], *column = a.data() + j * n;
    for (int64_t i = 0; i < n; i++) y[i] += factor * column[i];
  }
}

}  // namespace

bool conjugate_gradients(const double *triangle, const double *b, int64_t n, int64_t iterations, double *x) {
  const Vector a = square(triangle, n);
  const Vector first(x, x + n);
  Vector p(b, b + n), r(n), ap(n);
  add_product(a, x, -1.0, n, p.data());
  for (int64_t i = 0; i < n; i++) r[i] = -p[i];
  const double initial = dot(r.data(), r.data(), n);
  double norm = initial, recomputed = initial;
  for (int64_t k = 0; k < std::min(iterations, n + 5) && norm > std::numeric_limits<double>::min(); k++) {
    std::fill(ap.begin(), ap.end(), 0.0);
    add_product(a, p.data(), 1.0, n, ap.data());
    const double alpha = -dot(p.data(), r.data(), n) / dot(p.data(), ap.data(), n);
    for (int64_t i = 0; i < n; i++) {
      x[i] += alpha * p[i];
      r[i] += alpha * ap[i];
    }
    double following = dot(r.data(), r.data(), n);
    if (!(1e-4 * recomputed <= following && following <= 1e4 * recomputed)) {
      for (int64_t i = 0; i < n; i++) r[i] = -b[i];
      add_product(a, x, 1.0, n, r.data());
      following = recomputed = dot(r.data(), r.data(), n);
    }
    const double keep = following / norm;
    for (int64_t i = 0; i < n; i++) p[i] = keep * p[i] - r[i];
    norm = following;
  }
  if (!(norm > initial + 1e-10 * dot(b, b, n))) return true;
  std::copy(first.begin(), first.end(), x);
  return false;
}

}  // namespace kaldi_bridge
