#include "determinize_module.h"

#include <vector>

#include "frame_scores.h"
#include "full_determinize.h"
#include "minimize.h"
#include "phone_determinize.h"

namespace py = pybind11;

namespace kaldi_bridge {

namespace {

std::vector<FlatLattice> flat_lattices(const py::list &lattices) {
  std::vector<FlatLattice> made;
  for (const py::handle &parts : lattices) made.push_back(flat_lattice(py::cast<py::tuple>(parts)));
  return made;
}

}  // namespace

py::list as_python(const std::vector<Message> &messages) {
  py::list made;
  for (const Message &message : messages) made.append(py::make_tuple(message.kind, message.text));
  return made;
}

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

  m.def(
      "determinize_each",
      [](const py::list &lattices, const DeterminizeOptions &options) {
        return determinized_without_lock(flat_lattices(lattices), [&](const FlatLattice &given) {
          Lattice lattice = nested(given);
          prepare(true, &lattice);
          Determinized done = determinize(lattice, options);
          connect(&done.lattice);
          return done;
        });
      },
      "Determinizes lattices over their words.");
  m.def(
      "determinize_each_fully",
      [](const py::list &lattices, const FullDeterminizeOptions &options) {
        return determinized_without_lock(flat_lattices(lattices),
                                         [&](const FlatLattice &given) { return determinize_fully(given, options); });
      },
      "Determinizes lattices over their words, without a beam.");
  m.def(
      "determinize_each_by_phones",
      [](const py::list &lattices, const InputArray<int32_t> &phone_of, const PhoneDeterminizeOptions &options) {
        const std::vector<int32_t> phones(phone_of.data(), phone_of.data() + phone_of.size());
        return determinized_without_lock(flat_lattices(lattices), [&](const FlatLattice &given) {
          return determinize_by_phones(nested(given), phones, options);
        });
      },
      "Determinizes lattices over phones and words, then over their words.");
  m.def(
      "pushed",
      [](const py::tuple &parts, bool strings, bool costs, bool minimized) {
        FlatCompactLattice made = flat_compact_lattice(parts);
        {
          py::gil_scoped_release release;
          CompactLattice lattice = nested(made);
          if (strings) push_strings(&lattice);
          if (costs) push_costs(&lattice);
          if (minimized) minimize(&lattice);
          made = flat(lattice);
        }
        return parts_of(std::move(made));
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
