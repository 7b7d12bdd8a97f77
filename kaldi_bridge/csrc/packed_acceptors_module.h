#pragma once

#include <pybind11/pybind11.h>

namespace kaldi_bridge {

// Adds the class Acceptor; PYBIND11_NUMPY_DTYPE(FstArc, ...) must come before.
void add_packed_acceptors(pybind11::module_ &m);

}  // namespace kaldi_bridge
