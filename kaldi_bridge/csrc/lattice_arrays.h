// Lattices from and to NumPy's arrays: what kaldi_bridge.lattices.lattice.Lattice and CompactLattice hold.

#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include "flat_lattice.h"

namespace kaldi_bridge {

template <class T>
using InputArray = pybind11::array_t<T, pybind11::array::c_style | pybind11::array::forcecast>;

// The vector's memory becomes the array's.
template <class T>
pybind11::array_t<T> as_array(std::vector<T> &&values) {
  auto *owned = new std::vector<T>(std::move(values));
  pybind11::capsule owner(owned, [](void *p) { delete static_cast<std::vector<T> *>(p); });
  return pybind11::array_t<T>(static_cast<pybind11::ssize_t>(owned->size()), owned->data(), owner);
}

// Throws std::invalid_argument unless offsets[states + 1] goes up from 0 to `arcs`.
inline void check_offsets(const InputArray<int64_t> &offsets, pybind11::ssize_t states, pybind11::ssize_t arcs) {
  if (offsets.size() != states + 1 || offsets.at(0) != 0 || offsets.at(states) != arcs)
    throw std::invalid_argument("the states and arcs of the graph do not fit together");
  for (pybind11::ssize_t s = 0; s < states; s++)
    if (offsets.at(s) > offsets.at(s + 1)) throw std::invalid_argument("the offsets of the graph's arcs decrease");
}

inline void check_states(int32_t start, pybind11::ssize_t states, const std::vector<int32_t> &next) {
  if (start < -1 || start >= states || (states > 0 && start < 0))
    throw std::invalid_argument("the start state is none of the states");
  for (int32_t state : next)
    if (state < 0 || state >= states) throw std::invalid_argument("there is an arc to a state that does not exist");
}

// (start, offsets, arcs, finals) and, of compact lattices, (string_offsets, strings).
FlatLattice flat_lattice(const pybind11::tuple &parts);
FlatCompactLattice flat_compact_lattice(const pybind11::tuple &parts);
pybind11::tuple parts_of(FlatLattice &&lattice);
pybind11::tuple parts_of(FlatCompactLattice &&lattice);

}  // namespace kaldi_bridge
