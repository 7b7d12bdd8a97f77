// Frames of a waveform, ready for their Fourier transform (feat/feature-window.cc).

#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

void add_windowing(pybind11::module_ &m);

}  // namespace kaldi_bridge
