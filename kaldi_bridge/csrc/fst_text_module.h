#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

// Adds the class Symbols, compile_fst and print_fst; PYBIND11_NUMPY_DTYPE(FstArc, ...) must come before.
void add_fst_text(pybind11::module_ &m);

}  // namespace kaldi_bridge
