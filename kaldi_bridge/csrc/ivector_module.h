// What i-vectors are estimated with, for Python.

#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

void add_ivectors(pybind11::module_ &m);

}  // namespace kaldi_bridge
