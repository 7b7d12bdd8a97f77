// The determinization of lattices, for Python.

#pragma once

#include <pybind11/pybind11.h>

#include <utility>

#include "determinize.h"
#include "lattice_arrays.h"
#include "nested_lattice.h"

namespace kaldi_bridge {

// (parts of the lattice, complete, states before, messages as (kind, text)) of what `run` gives: all of it is made, turned into
// arrays and freed without the interpreter's lock.
template <class Run>
pybind11::tuple determinized_without_lock(const Run &run) {
  FlatCompactLattice lattice;
  Determinized rest;
  {
    pybind11::gil_scoped_release release;
    rest = run();
    lattice = flat(rest.lattice);
    CompactLattice().swap(rest.lattice);
  }
  pybind11::list messages;
  for (const Message &message : rest.messages) messages.append(pybind11::make_tuple(message.kind, message.text));
  return pybind11::make_tuple(parts_of(std::move(lattice)), rest.complete, rest.states_before, messages);
}

void add_determinization(pybind11::module_ &m);

}  // namespace kaldi_bridge
