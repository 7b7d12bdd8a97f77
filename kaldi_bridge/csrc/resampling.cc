// Sample n at the new rate is a sum of `taps` samples at the old one. Filters repeat: with n = u * phases + p, the sum has
// the weights of phase p and begins with sample firsts[p] + u * step.
//
// Products are in single and sums in double precision, as in OpenBLAS's sdot of so few numbers, which Kaldi calls: bands
// above the old rate's hold little more than rounding, and theirs shows in the logarithms of features. A tap goes into the same one of LANES partial sums wherever its
// window lies, so that a sample does not depend on the piece that it is computed in, to the last bit.

#include "resampling.h"

#include <pybind11/numpy.h>

#include <algorithm>
#include <array>

namespace py = pybind11;

namespace kaldi_bridge {
namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

constexpr int64_t LANES = 8;  // the number of taps is a multiple

float total(const std::array<double, LANES> &lanes) {
  double sum = 0;
  for (double lane : lanes) sum += lane;
  return static_cast<float>(sum);
}

float whole_window(const float *samples, const float *weights, int64_t taps) {
  std::array<double, LANES> lanes{};
  for (int64_t k = 0; k < taps; k += LANES)
    for (int64_t lane = 0; lane < LANES; lane++) lanes[lane] += weights[k + lane] * samples[k + lane];
  return total(lanes);
}

// Of a window that begins with sample `start` and reaches over the first or last of `size` samples.
float part_of_window(const float *samples, int64_t size, int64_t start, const float *weights, int64_t taps) {
  std::array<double, LANES> lanes{};
  const int64_t last = std::min(taps, size - start);
  for (int64_t k = std::max<int64_t>(0, -start); k < last; k++) lanes[k % LANES] += weights[k] * samples[start + k];
  return total(lanes);
}

// Samples [begin, end) at the new rate, of those at the old rate from number `offset` on; where there are none, of zeros.
py::array_t<float> resample(Array<float> samples, int64_t offset, int64_t begin, int64_t end, Array<int64_t> firsts,
                            Array<float> weights, int64_t step) {
  if (samples.ndim() != 1 || weights.ndim() != 2 || firsts.ndim() != 1 || firsts.size() != weights.shape(0) ||
      firsts.size() == 0 || weights.shape(1) % LANES != 0 || begin < 0 || end < begin)
    throw std::invalid_argument("samples, range and filter do not fit together");
  const int64_t size = samples.size(), phases = firsts.size(), taps = weights.shape(1);
  py::array_t<float> made(end - begin);
  const float *from = samples.data(), *weight = weights.data();
  const int64_t *first = firsts.data();
  float *to = made.mutable_data();
  py::gil_scoped_release release;
  for (int64_t n = begin; n < end; n++) {
    const int64_t phase = n % phases, start = first[phase] + n / phases * step - offset;
    const float *w = weight + phase * taps;
    if (start >= 0 && start + taps <= size)
      *to++ = whole_window(from + start, w, taps);
    else
      *to++ = part_of_window(from, size, start, w, taps);
  }
  return made;
}

}  // namespace

void add_resampling(py::module_ &m) {
  m.attr("RESAMPLING_LANES") = LANES;
  m.def("resample", &resample, "Samples of a range at another rate.");
}

}  // namespace kaldi_bridge
