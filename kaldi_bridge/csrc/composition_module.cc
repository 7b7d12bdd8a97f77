// Composition of lattices for Python, without the interpreter's lock.

#include "composition_module.h"

#include "composition.h"
#include "lattice_arrays.h"

namespace py = pybind11;

namespace kaldi_bridge {

void add_composition(py::module_ &m) {
  py::enum_<Fallback>(m, "Fallback")
      .value("NONE", Fallback::kNone)
      .value("PHI", Fallback::kPhi)
      .value("RHO", Fallback::kRho);
  py::class_<Composer>(m, "Composer", "Composes lattices with a second one; see composition.h.")
      .def(py::init([](const py::tuple &second, Fallback fallback, int32_t label) {
        return Composer(flat_lattice(second), fallback, label);
      }))
      .def("compose", [](const Composer &composer, const py::tuple &parts) {
        const FlatLattice first = flat_lattice(parts);
        FlatLattice made;
        {
          py::gil_scoped_release release;
          made = composer.compose(first);
        }
        return parts_of(std::move(made));
      });
  m.def(
      "sorted_arcs",
      [](const InputArray<int64_t> &offsets, const InputArray<int32_t> &first, const InputArray<int32_t> &second) {
        check_offsets(offsets, offsets.size() - 1, first.size());
        if (second.size() != first.size()) throw std::invalid_argument("each arc has two labels");
        return as_array(sorted_arcs({offsets.data(), offsets.data() + offsets.size()}, first.data(), second.data()));
      },
      "The numbers of each state's arcs in the order of two labels, as OpenFst sorts them.");
}

}  // namespace kaldi_bridge
