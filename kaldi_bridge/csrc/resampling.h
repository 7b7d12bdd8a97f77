// Sums of samples under the windows of a resampling filter, for Python.

#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

void add_resampling(pybind11::module_ &m);

}  // namespace kaldi_bridge
