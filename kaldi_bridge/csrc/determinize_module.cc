#include "determinize_module.h"

#include <pybind11/stl.h>

#include "determinize.h"
#include "frame_scores.h"
#include "full_determinize.h"
#include "lattice_arrays.h"
#include "minimize.h"
#include "nested_lattice.h"
#include "phone_determinize.h"

namespace py = pybind11;

namespace kaldi_bridge {

void add_determinization(py::module_ &m) {
  py::class_<DeterminizeOptions>(m, "DeterminizeOptions")
      .def(py::init<>())
      .def_readwrite("beam", &DeterminizeOptions::beam)
      .def_readwrite("delta", &DeterminizeOptions::delta)
      .def_readwrite("max_mem", &DeterminizeOptions::max_memory)
      .def_readwrite("max_loop", &DeterminizeOptions::max_loop)
      .def_readwrite("max_states", &DeterminizeOptions::max_states)
      .def_readwrite("max_arcs", &DeterminizeOptions::max_arcs)
      .def_readwrite("retry_cutoff", &DeterminizeOptions::retry_cutoff);
  py::class_<PhoneDeterminizeOptions>(m, "PhoneDeterminizeOptions")
      .def(py::init<>())
      .def_readwrite("beam", &PhoneDeterminizeOptions::beam)
      .def_readwrite("delta", &PhoneDeterminizeOptions::delta)
      .def_readwrite("max_mem", &PhoneDeterminizeOptions::max_memory)
      .def_readwrite("phone_determinize", &PhoneDeterminizeOptions::phones)
      .def_readwrite("word_determinize", &PhoneDeterminizeOptions::words)
      .def_readwrite("minimize", &PhoneDeterminizeOptions::minimize);

  py::class_<FullDeterminizeOptions>(m, "FullDeterminizeOptions")
      .def(py::init<>())
      .def_readwrite("delta", &FullDeterminizeOptions::delta)
      .def_readwrite("max_mem", &FullDeterminizeOptions::max_memory)
      .def_readwrite("max_loop", &FullDeterminizeOptions::max_loop);

  py::class_<Determinized>(m, "Determinized")
      .def_property_readonly("parts", [](const Determinized &done) { return parts_of(flat(done.lattice)); })
      .def_readonly("complete", &Determinized::complete)
      .def_readonly("states_before", &Determinized::states_before)
      .def_property_readonly("messages", [](const Determinized &done) {
        py::list messages;
        for (const Message &message : done.messages) messages.append(py::make_tuple(message.kind, message.text));
        return messages;
      });
  m.def(
      "determinize",
      [](const py::tuple &parts, const DeterminizeOptions &options) {
        Lattice lattice = nested(flat_lattice(parts));
        py::gil_scoped_release release;
        prepare(true, &lattice);
        Determinized done = determinize(lattice, options);
        connect(&done.lattice);
        return done;
      },
      "Determinizes a lattice over its words.");
  m.def(
      "determinize_fully",
      [](const py::tuple &parts, const FullDeterminizeOptions &options) {
        const FlatLattice lattice = flat_lattice(parts);
        py::gil_scoped_release release;
        return determinize_fully(lattice, options);
      },
      "Determinizes a lattice over its words, without a beam.");
  m.def(
      "determinize_by_phones",
      [](const py::tuple &parts, const std::vector<int32_t> &phone_of, const PhoneDeterminizeOptions &options) {
        Lattice lattice = nested(flat_lattice(parts));
        py::gil_scoped_release release;
        return determinize_by_phones(std::move(lattice), phone_of, options);
      },
      "Determinizes a lattice over phones and words, then over its words.");
  m.def(
      "pushed",
      [](const py::tuple &parts, bool strings, bool costs, bool minimized) {
        CompactLattice lattice = nested(flat_compact_lattice(parts));
        {
          py::gil_scoped_release release;
          if (strings) push_strings(&lattice);
          if (costs) push_costs(&lattice);
          if (minimized) minimize(&lattice);
        }
        return parts_of(flat(lattice));
      },
      "Pushes transition-ids and costs towards the start of a compact lattice, then minimizes it.");

  py::class_<FrameScores>(m, "FrameScores")
      .def(py::init([](const py::tuple &parts) { return FrameScores(nested(flat_lattice(parts))); }))
      .def("put_back", [](const FrameScores &scores, const py::tuple &parts) {
        Lattice lattice = nested(flat_lattice(parts));
        scores.put_back(&lattice);
        return parts_of(flat(lattice));
      });
}

}  // namespace kaldi_bridge
