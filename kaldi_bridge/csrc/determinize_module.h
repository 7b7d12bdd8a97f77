// The determinization of lattices, for Python.

#pragma once

#include <pybind11/pybind11.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "determinize.h"
#include "lattice_arrays.h"
#include "nested_lattice.h"

namespace kaldi_bridge {

// [(kind, text), ...]
pybind11::list as_python(const std::vector<Message> &messages);

// Of some lattices, one after the other, all made and freed without the interpreter's lock: (parts of the lattice, complete,
// states before, messages) of what `run` gives for each; a message in place of the first for which it throws
// std::invalid_argument.
template <class L, class Run>
pybind11::list determinized_without_lock(const std::vector<L> &lattices, const Run &run) {
  struct Made {
    FlatCompactLattice lattice;
    Determinized rest;
    std::string error;
  };
  std::vector<Made> all;
  {
    pybind11::gil_scoped_release release;
    for (const L &lattice : lattices) {
      Made &made = all.emplace_back();
      try {
        made.rest = run(lattice);
      } catch (const std::invalid_argument &error) {
        made.error = error.what();
        break;
      }
      made.lattice = flat(made.rest.lattice);
      CompactLattice().swap(made.rest.lattice);
    }
  }
  pybind11::list results;
  for (Made &made : all) {
    if (!made.error.empty())
      results.append(made.error);
    else
      results.append(pybind11::make_tuple(parts_of(std::move(made.lattice)), made.rest.complete,
                                          made.rest.states_before, as_python(made.rest.messages)));
  }
  return results;
}

void add_determinization(pybind11::module_ &m);

}  // namespace kaldi_bridge
