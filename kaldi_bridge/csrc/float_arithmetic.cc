// What Kaldi computes in single precision and NumPy rounds otherwise: sums of a row's values by many sets of weights (mel
// bins of spectra, cepstra of mel bins), where those of a row do not depend on the rows beside it, and logarithms.

#include "float_arithmetic.h"

#include <pybind11/numpy.h>

#include <cmath>
#include <vector>

#include "sdot.h"

namespace py = pybind11;

namespace kaldi_bridge {
namespace {

using Matrix = py::array_t<float, py::array::c_style | py::array::forcecast>;

// Where a row of weights is not zero.
struct Range {
  int64_t begin, end;
};

Range without_zeros(const float *weights, int64_t size) {
  Range range{0, size};
  while (range.begin < range.end && weights[range.begin] == 0) range.begin++;
  while (range.end > range.begin && weights[range.end - 1] == 0) range.end--;
  return range;
}

// [rows, n] and [sets, n] -> [rows, sets].
py::array_t<float> weighted_sums(Matrix values, Matrix weights) {
  if (values.ndim() != 2 || weights.ndim() != 2 || values.shape(1) != weights.shape(1))
    throw std::invalid_argument("values and weights do not fit together");
  const int64_t rows = values.shape(0), sets = weights.shape(0), n = values.shape(1);
  py::array_t<float> made({rows, sets});
  const float *value = values.data(), *weight = weights.data();
  float *to = made.mutable_data();
  py::gil_scoped_release release;
  std::vector<Range> ranges;
  for (int64_t s = 0; s < sets; s++) ranges.push_back(without_zeros(weight + s * n, n));
  for (int64_t r = 0; r < rows; r++, value += n)
    for (int64_t s = 0; s < sets; s++) {
      const auto [begin, end] = ranges[s];
      *to++ = sdot(weight + s * n + begin, value + begin, end - begin);
    }
  return made;
}

}  // namespace

void add_float_arithmetic(py::module_ &m) {
  m.def("logarithms", py::vectorize([](float x) { return std::log(x); }), "Natural logarithms by the C library's logf.");
  m.def("weighted_sums", &weighted_sums, "Sums of each row's values by each set of weights.");
}

}  // namespace kaldi_bridge
