// Acceptors for Python, without the interpreter's lock.

#include "packed_acceptors_module.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "fst_arc.h"
#include "packed_acceptors.h"

namespace py = pybind11;

namespace kaldi_bridge {
namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

void check(int32_t start, py::ssize_t states, const Array<int64_t> &offsets, py::ssize_t arcs) {
  if (offsets.size() != states + 1 || start < -1 || start >= states || offsets.at(0) != 0 || offsets.at(states) != arcs)
    throw std::invalid_argument("the acceptor's start, states and arcs do not fit together");
  for (py::ssize_t s = 0; s < states; s++)
    if (offsets.at(s) > offsets.at(s + 1)) throw std::invalid_argument("the acceptor's offsets decrease");
}

// From kaldi_bridge.fsts.fst.Fst: the input side.
Acceptor of_fst(int32_t start, const Array<float> &finals, const Array<int64_t> &offsets, const Array<FstArc> &arcs) {
  const py::ssize_t states = finals.size();
  check(start, states, offsets, arcs.size());
  Acceptor made{start, std::vector<std::vector<AcceptorArc>>(states), {finals.data(), finals.data() + states}};
  for (py::ssize_t s = 0; s < states; s++) {
    made.arcs[s].reserve(offsets.at(s + 1) - offsets.at(s));
    for (int64_t i = offsets.at(s); i < offsets.at(s + 1); i++) {
      const FstArc &arc = arcs.data()[i];
      if (arc.nextstate < 0 || arc.nextstate >= states) throw std::invalid_argument("the acceptor has an arc to no state");
      made.arcs[s].push_back({arc.ilabel, arc.weight, arc.nextstate});
    }
  }
  return made;
}

py::tuple to_fst(const Acceptor &a) {
  const size_t states = a.arcs.size();
  py::array_t<int64_t> offsets(states + 1);
  int64_t *offset = offsets.mutable_data();
  offset[0] = 0;
  for (size_t s = 0; s < states; s++) offset[s + 1] = offset[s] + static_cast<int64_t>(a.arcs[s].size());
  py::array_t<FstArc> arcs(offset[states]);
  FstArc *to = arcs.mutable_data();
  for (const auto &out : a.arcs)
    for (const AcceptorArc &arc : out) *to++ = {arc.label, arc.label, static_cast<float>(arc.cost), arc.next};
  py::array_t<float> finals(states);
  for (size_t s = 0; s < states; s++) finals.mutable_data()[s] = static_cast<float>(a.finals[s]);
  return py::make_tuple(a.start, finals, offsets, arcs);
}

// From and to kaldi_bridge.fsts.acceptors.Acceptor.
Acceptor of_lists(int32_t start, const std::vector<std::vector<std::tuple<int32_t, double, int32_t>>> &arcs,
                  std::vector<double> finals) {
  const int32_t states = static_cast<int32_t>(arcs.size());
  if (finals.size() != arcs.size() || start < -1 || start >= states)
    throw std::invalid_argument("the acceptor's start, states and final costs do not fit together");
  Acceptor made{start, std::vector<std::vector<AcceptorArc>>(states), std::move(finals)};
  for (int32_t s = 0; s < states; s++)
    for (const auto &[label, cost, next] : arcs[s]) {
      if (next < 0 || next >= states) throw std::invalid_argument("the acceptor has an arc to no state");
      made.arcs[s].push_back({label, cost, next});
    }
  return made;
}

Acceptor part(const Acceptor &a, const std::vector<int32_t> &times, int32_t first, int32_t end) {
  if (times.size() != a.arcs.size()) throw std::invalid_argument("one time for each state is needed");
  return part_in_time(a, times, first, end);
}

py::tuple to_lists(const Acceptor &a) {
  py::list arcs(a.arcs.size());
  for (size_t s = 0; s < a.arcs.size(); s++) {
    py::list out(a.arcs[s].size());
    for (size_t i = 0; i < a.arcs[s].size(); i++)
      out[i] = py::make_tuple(a.arcs[s][i].label, a.arcs[s][i].cost, a.arcs[s][i].next);
    arcs[s] = out;
  }
  return py::make_tuple(a.start, arcs, a.finals);
}

}  // namespace

void add_packed_acceptors(py::module_ &m) {
  using unlocked = py::call_guard<py::gil_scoped_release>;
  py::class_<Acceptor>(m, "Acceptor")
      .def_static("of_fst", &of_fst)
      .def_static("of_lists", &of_lists)
      .def("to_fst", &to_fst)
      .def("to_lists", &to_lists)
      .def_property_readonly("num_states", &Acceptor::num_states)
      .def("connected", &connected, unlocked())
      .def("without_epsilons", &without_epsilons, unlocked())
      .def("composed", &composed, unlocked())
      .def("determinized", &determinized, unlocked())
      .def("minimized", &minimized, unlocked())
      .def("pushed_to_start", &pushed_to_start, unlocked())
      .def("state_times", &state_times, unlocked())
      .def("part_in_time", &part, unlocked());
}

}  // namespace kaldi_bridge
