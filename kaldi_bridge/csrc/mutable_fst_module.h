#pragma once

#include <pybind11/pybind11.h>

#include "mutable_fst.h"

namespace kaldi_bridge {

// (start, finals, offsets, arcs) of kaldi_bridge.fsts.fst.Fst; PYBIND11_NUMPY_DTYPE(FstArc, ...) must come before.
pybind11::tuple to_arrays(const MutableFst &fst);

}  // namespace kaldi_bridge
