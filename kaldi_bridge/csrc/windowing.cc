#include "windowing.h"

#include <pybind11/numpy.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace py = pybind11;

namespace kaldi_bridge {
namespace {

using Samples = py::array_t<float, py::array::c_style | py::array::forcecast>;

// Of a frame; the sum is that of OpenBLAS's sdot with a stride: pairs in single, the rest in double precision.
float mean(const float *frame, int64_t length) {
  double sum = 0;
  for (int64_t i = 0; i + 1 < length; i += 2) sum += frame[i] + frame[i + 1];
  if (length % 2) sum += frame[length - 1];
  return static_cast<float>(sum) / static_cast<float>(length);
}

// Frame number k begins at sample k * shift, and noise [count, length] (or none) times dither is added. Gives the frames
// [count, padded], each sample less the mean (if wanted) and its predecessor times a coefficient, times the window, then
// zeros; and their energies [count] before the last two.
py::tuple windowed_frames(Samples samples, int64_t shift, int64_t count, Samples noise, float dither, Samples window,
                          int64_t padded, float coefficient, bool remove_offset) {
  const int64_t length = window.size();
  if (count < 0 || shift < 1 || length < 1 || padded < length ||
      (count > 0 && (count - 1) > (samples.size() - length) / shift))
    throw std::invalid_argument("there are not so many samples, or frames are shorter than the window");
  if (noise.size() != 0 && noise.size() != count * length) throw std::invalid_argument("noise has another size");
  py::array_t<float> frames({count, padded}), energies(count);
  const float *from = samples.data(), *weights = window.data(), *added = noise.size() == 0 ? nullptr : noise.data();
  float *to = frames.mutable_data(), *energy = energies.mutable_data();
  {
    py::gil_scoped_release release;
    std::vector<float> frame(length);
    for (int64_t k = 0; k < count; k++, from += shift, to += padded) {
      std::copy(from, from + length, frame.begin());
      if (added != nullptr)
        for (int64_t i = 0; i < length; i++) frame[i] += dither * *added++;
      const float offset = remove_offset ? mean(frame.data(), length) : 0.0f;
      double squares = 0;
      for (int64_t i = 0; i < length; i++) frame[i] -= offset;
      for (int64_t i = 0; i < length; i++) squares += frame[i] * frame[i];
      energy[k] = static_cast<float>(squares);
      to[0] = (frame[0] - coefficient * frame[0]) * weights[0];
      for (int64_t i = 1; i < length; i++) to[i] = (frame[i] - coefficient * frame[i - 1]) * weights[i];
      for (int64_t i = length; i < padded; i++) to[i] = 0;
    }
  }
  return py::make_tuple(frames, energies);
}

}  // namespace

void add_windowing(py::module_ &m) { m.def("windowed_frames", &windowed_frames, "Frames of a waveform, windowed."); }

}  // namespace kaldi_bridge
