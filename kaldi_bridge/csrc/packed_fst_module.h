// What graphs are made with, for Python.

#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

void add_packed_fsts(pybind11::module_ &m);

}  // namespace kaldi_bridge
