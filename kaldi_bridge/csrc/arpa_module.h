#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

// Adds the class SymbolTable and compile_arpa; PYBIND11_NUMPY_DTYPE(FstArc, ...) must come before.
void add_arpa(pybind11::module_ &m);

}  // namespace kaldi_bridge
