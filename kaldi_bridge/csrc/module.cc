// The C++ part of kaldi_bridge: what is too slow in Python and no wheel has.

#include <pybind11/pybind11.h>

PYBIND11_MODULE(_csrc, m) { m.doc() = "Search and lattice determinization for kaldi_bridge."; }
