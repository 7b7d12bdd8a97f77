// Sums and logarithms of features in single precision, for Python.

#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

void add_float_arithmetic(pybind11::module_ &m);

}  // namespace kaldi_bridge
