#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

// Adds lattices on arrays, paths through graphs on arrays, and the reader of FST files.
void add_lattices(pybind11::module_ &m);

}  // namespace kaldi_bridge
