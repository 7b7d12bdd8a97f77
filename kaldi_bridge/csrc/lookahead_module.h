// Labels that can be reached, and graphs that are composed while they are searched, for Python.

#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

void add_lookahead(pybind11::module_ &m);

}  // namespace kaldi_bridge
