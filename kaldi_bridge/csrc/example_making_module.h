// The part of the module that makes training examples of utterances.

#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

void add_example_making(pybind11::module_ &m);

}  // namespace kaldi_bridge
