// Transducers for Python.

#include "mutable_fst_module.h"

#include <pybind11/numpy.h>

#include <algorithm>

namespace py = pybind11;

namespace kaldi_bridge {

py::tuple to_arrays(const MutableFst &fst) {
  py::array_t<int64_t> offsets(fst.arcs.size() + 1);
  int64_t *offset = offsets.mutable_data();
  offset[0] = 0;
  for (size_t s = 0; s < fst.arcs.size(); s++) offset[s + 1] = offset[s] + static_cast<int64_t>(fst.arcs[s].size());
  py::array_t<FstArc> arcs(offset[fst.arcs.size()]);
  for (size_t s = 0; s < fst.arcs.size(); s++)
    std::copy(fst.arcs[s].begin(), fst.arcs[s].end(), arcs.mutable_data() + offset[s]);
  return py::make_tuple(fst.start, py::array_t<float>(fst.finals.size(), fst.finals.data()), offsets, arcs);
}

}  // namespace kaldi_bridge
