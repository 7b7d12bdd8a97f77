// FSTs of kaldi_bridge.fsts.fst.Fst, as they are.

#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <stdexcept>

#include "packed_fst.h"

namespace kaldi_bridge {

// Not converted, so that what is kept of them is the caller's.
template <class T>
using KeptArray = pybind11::array_t<T, pybind11::array::c_style>;

// The arrays must outlive the view. Throws std::invalid_argument where they do not fit together; labels are not looked at.
template <int Flags>
FstView fst_view(int32_t start, const pybind11::array_t<float, Flags> &finals, const pybind11::array_t<int64_t, Flags> &offsets,
                 const pybind11::array_t<FstArc, Flags> &arcs) {
  const pybind11::ssize_t states = finals.size();
  if (states >= INT32_MAX || start < -1 || start >= states || offsets.size() != states + 1 || offsets.at(0) != 0 ||
      offsets.at(states) != arcs.size())
    throw std::invalid_argument("the FST's start, states and arcs do not fit together");
  for (pybind11::ssize_t s = 0; s < states; s++)
    if (offsets.data()[s] > offsets.data()[s + 1]) throw std::invalid_argument("the FST's offsets decrease");
  for (pybind11::ssize_t i = 0; i < arcs.size(); i++)
    if (arcs.data()[i].nextstate < 0 || arcs.data()[i].nextstate >= states)
      throw std::invalid_argument("the FST has an arc to no state");
  return {start, static_cast<int32_t>(states), finals.data(), offsets.data(), arcs.data()};
}

// The same, of an FST without negative labels.
template <int Flags>
FstView labelled_fst_view(int32_t start, const pybind11::array_t<float, Flags> &finals,
                          const pybind11::array_t<int64_t, Flags> &offsets, const pybind11::array_t<FstArc, Flags> &arcs) {
  const FstView view = fst_view(start, finals, offsets, arcs);
  for (pybind11::ssize_t i = 0; i < arcs.size(); i++)
    if (arcs.data()[i].ilabel < 0 || arcs.data()[i].olabel < 0) throw std::invalid_argument("the FST has a negative label");
  return view;
}

}  // namespace kaldi_bridge
