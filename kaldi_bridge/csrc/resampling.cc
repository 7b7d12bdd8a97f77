// Sample n at the new rate is a dot product of samples at the old one with weights. Filters repeat: with n = u * phases + p,
// the weights are those of phase p, and the samples those from firsts[p] to lasts[p], u * step later.

#include "resampling.h"

#include <pybind11/numpy.h>

#include <algorithm>
#include <vector>

#include "sdot.h"

namespace py = pybind11;

namespace kaldi_bridge {
namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

// Samples [begin, end) at the new rate, of those at the old rate from number `offset` on; where there are none, of zeros.
py::array_t<float> resample(Array<float> samples, int64_t offset, int64_t begin, int64_t end, Array<int64_t> firsts,
                            Array<int64_t> lasts, Array<float> weights, int64_t step) {
  const int64_t size = samples.size(), phases = firsts.size();
  if (samples.ndim() != 1 || weights.ndim() != 2 || phases == 0 || lasts.size() != phases ||
      weights.shape(0) != phases || begin < 0 || end < begin)
    throw std::invalid_argument("samples, range and filter do not fit together");
  const int64_t most = weights.shape(1);
  for (int64_t p = 0; p < phases; p++)
    if (lasts.at(p) < firsts.at(p) || lasts.at(p) - firsts.at(p) >= most)
      throw std::invalid_argument("a window of the filter and its weights do not fit together");
  py::array_t<float> made(end - begin);
  const float *from = samples.data(), *weight = weights.data();
  const int64_t *first = firsts.data(), *last = lasts.data();
  float *to = made.mutable_data();
  py::gil_scoped_release release;
  std::vector<float> padded(most);
  int64_t p = begin % phases, moved = begin / phases * step - offset;
  for (int64_t n = begin; n < end; n++) {
    const int64_t taps = last[p] - first[p] + 1, start = first[p] + moved;
    if (start >= 0 && start + taps <= size) {
      *to++ = sdot(weight + p * most, from + start, taps);
    } else {
      std::fill(padded.begin(), padded.end(), 0.0f);
      for (int64_t k = std::max<int64_t>(0, -start); k < std::min(taps, size - start); k++) padded[k] = from[start + k];
      *to++ = sdot(weight + p * most, padded.data(), taps);
    }
    if (++p == phases) {
      p = 0;
      moved += step;
    }
  }
  return made;
}

}  // namespace

void add_resampling(py::module_ &m) { m.def("resample", &resample, "Samples of a range at another rate."); }

}  // namespace kaldi_bridge
