// Indices of keywords and their search, for Python.

#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

void add_keywords(pybind11::module_ &m);

}  // namespace kaldi_bridge
