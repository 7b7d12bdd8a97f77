// Language models and the rescoring of lattices for Python.

#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

void add_language_models(pybind11::module_ &m);

}  // namespace kaldi_bridge
