// FSTs of kaldi_bridge.fsts.fst.Fst, as they are.

#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <stdexcept>

#include "acceptors.h"

namespace kaldi_bridge {

// Not converted, so that what is kept of them is the caller's.
template <class T>
using Array = pybind11::array_t<T, pybind11::array::c_style>;

inline FstArrays fst_arrays(int32_t start, const Array<float> &finals, const Array<int64_t> &offsets, const Array<FstArc> &arcs) {
  const int32_t states = static_cast<int32_t>(finals.size());
  if (start < -1 || start >= states || offsets.size() != states + 1 || offsets.at(0) != 0 || offsets.at(states) != arcs.size())
    throw std::invalid_argument("the FST's start, states and arcs do not fit together");
  for (int32_t s = 0; s < states; s++)
    if (offsets.at(s) > offsets.at(s + 1)) throw std::invalid_argument("the FST's offsets decrease");
  for (int64_t i = 0; i < arcs.size(); i++) {
    const FstArc &arc = arcs.data()[i];
    if (arc.nextstate < 0 || arc.nextstate >= states) throw std::invalid_argument("the FST has an arc to no state");
    if (arc.ilabel < 0 || arc.olabel < 0) throw std::invalid_argument("the FST has a negative label");
  }
  return {start, states, finals.data(), offsets.data(), arcs.data()};
}

}  // namespace kaldi_bridge
