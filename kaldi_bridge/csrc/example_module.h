// The part of the module that reads and merges training examples.

#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

void add_examples(pybind11::module_ &m);

}  // namespace kaldi_bridge
