// Lattices on arrays for Python, without the interpreter's lock.

#include "lattice_module.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "arc_lists.h"
#include "fst_header.h"
#include "lattice_acceptors.h"
#include "lattice_arrays.h"
#include "lattice_properties.h"
#include "lattice_text.h"
#include "object_form.h"
#include "path_costs.h"
#include "vector_fst.h"

namespace py = pybind11;

namespace kaldi_bridge {

namespace {

constexpr std::string_view kLatticeArcs = "lattice4", kCompactArcs = "compactlattice44";

template <class A>
void take_states(const py::tuple &parts, FlatStates<A> *lattice) {
  const auto offsets = parts[1].cast<InputArray<int64_t>>();
  const auto arcs = parts[2].cast<InputArray<A>>();
  const auto finals = parts[3].cast<InputArray<float>>();
  if (finals.ndim() != 2 || finals.shape(1) != 2) throw std::invalid_argument("final costs must be [states, 2]");
  lattice->start = parts[0].cast<int32_t>();
  check_offsets(offsets, finals.shape(0), arcs.size());
  lattice->offsets.assign(offsets.data(), offsets.data() + offsets.size());
  lattice->arcs.assign(arcs.data(), arcs.data() + arcs.size());
  lattice->finals.resize(finals.shape(0));
  for (size_t s = 0; s < lattice->finals.size(); s++) lattice->finals[s] = {finals.at(s, 0), finals.at(s, 1)};
  std::vector<int32_t> next(lattice->arcs.size());
  for (size_t i = 0; i < next.size(); i++) next[i] = lattice->arcs[i].nextstate;
  check_states(lattice->start, finals.shape(0), next);
}

template <class A>
py::array_t<float> final_array(const FlatStates<A> &lattice) {
  py::array_t<float> finals({static_cast<py::ssize_t>(lattice.finals.size()), py::ssize_t{2}});
  for (size_t s = 0; s < lattice.finals.size(); s++) {
    finals.mutable_at(s, 0) = lattice.finals[s].graph;
    finals.mutable_at(s, 1) = lattice.finals[s].acoustic;
  }
  return finals;
}

// A graph whose arrays live as long as this.
struct Graph {
  Graph(int32_t start, InputArray<int64_t> offsets, InputArray<int32_t> next) : offsets_(offsets), next_(next) {
    const py::ssize_t states = offsets.size() - 1;
    if (states < 0) throw std::invalid_argument("the states and arcs of the graph do not fit together");
    check_offsets(offsets, states, next.size());
    check_states(start, states, {next.data(), next.data() + next.size()});
    lists = {start, static_cast<int32_t>(states), offsets_.data(), next_.data()};
  }

  const double *costs(const InputArray<double> &values) const {
    if (values.size() != next_.size()) throw std::invalid_argument("one cost for each arc is needed");
    return values.data();
  }

  const double *finals(const InputArray<double> &values) const {
    if (values.size() != lists.num_states) throw std::invalid_argument("one final cost for each state is needed");
    return values.data();
  }

  ArcLists lists;

 private:
  InputArray<int64_t> offsets_;
  InputArray<int32_t> next_;
};

py::tuple path_parts(Path &&path) { return py::make_tuple(as_array(std::move(path.arcs)), path.end); }

template <class In, class F>
py::tuple without_lock(In &&lattice, F f) {
  auto made = [&] {
    py::gil_scoped_release release;
    return f(lattice);
  }();
  return parts_of(std::move(made));
}

template <class L, L (*lattice_of)(const py::tuple &)>
py::tuple scaled(const py::tuple &parts, double graph, double acoustic_to_graph, double graph_to_acoustic,
                 double acoustic) {
  L lattice = lattice_of(parts);
  change_costs({graph, acoustic_to_graph, graph_to_acoustic, acoustic}, &lattice);
  return parts_of(std::move(lattice));
}

// An array of what these words of memory are.
template <class T>
py::array_t<T> array_of(const void *data, size_t count) {
  py::array_t<T> made(static_cast<py::ssize_t>(count));
  if (count > 0) std::memcpy(made.mutable_data(), data, count * sizeof(T));
  return made;
}

// (offsets of the strings, strings) of all arcs, then of all final weights.
std::pair<std::vector<int64_t>, std::vector<int32_t>> strings_of(VectorReader &reader) {
  std::vector<int64_t> ends = {0};
  std::vector<int32_t> strings = std::move(reader.arc_strings);
  const int64_t of_arcs = static_cast<int64_t>(strings.size());
  ends.insert(ends.end(), reader.arc_string_ends.begin(), reader.arc_string_ends.end());
  for (int64_t end : reader.final_string_ends) ends.push_back(of_arcs + end);
  strings.insert(strings.end(), reader.final_strings.begin(), reader.final_strings.end());
  return {std::move(ends), std::move(strings)};
}

// Whether all arcs lead to one of the states, and no label is negative.
template <class A>
bool makes_sense(const A *arcs, size_t count, int64_t num_states, int32_t A::*label) {
  return std::all_of(arcs, arcs + count, [&](const A &arc) {
    return 0 <= arc.nextstate && arc.nextstate < num_states && arc.*label >= 0;
  });
}

// (properties, parts) of a lattice of today's precision in OpenFst's type "vector".
py::object lattice_at(Cursor &in) {
  const FstHeader header = header_at(in);
  const bool compact = header.arc_type == kCompactArcs;
  if (header.fst_type != "vector" || (header.arc_type != kLatticeArcs && !compact)) throw OtherForm();
  VectorReader reader({2, false, compact}, header.num_states);
  try {
    const size_t left = in.left();
    const char *states = in.take(0);
    in.take(reader.feed(states, left));
    if (!reader.done()) throw Incomplete{in.pos() + reader.wanted()};
  } catch (const std::invalid_argument &) {
    throw OtherForm();
  }
  const int64_t states = header.num_states;
  py::array_t<float> finals({py::ssize_t{states}, py::ssize_t{2}});
  if (states > 0) std::memcpy(finals.mutable_data(), reader.finals.data(), sizeof(float) * reader.finals.size());
  const size_t count = static_cast<size_t>(reader.offsets.back());
  py::array_t<int64_t> offsets = array_of<int64_t>(reader.offsets.data(), reader.offsets.size());
  if (!compact) {
    const auto arcs = array_of<FlatArc>(reader.arcs.data(), count);
    if (!makes_sense(arcs.data(), count, states, &FlatArc::ilabel)) throw OtherForm();
    return py::make_tuple(header.properties, py::make_tuple(header.start, offsets, arcs, finals));
  }
  const auto arcs = array_of<FlatCompactArc>(reader.arcs.data(), count);
  if (!makes_sense(arcs.data(), count, states, &FlatCompactArc::label)) throw OtherForm();
  auto [ends, strings] = strings_of(reader);
  return py::make_tuple(header.properties, py::make_tuple(header.start, offsets, arcs, finals, as_array(std::move(ends)),
                                                          as_array(std::move(strings))));
}

// A file of type "vector".
template <class L>
py::bytes lattice_file(const L &lattice, std::string_view arc_type, uint64_t properties) {
  std::string made;
  append_header({"vector", arc_type, properties, lattice.start, lattice.num_states(), 0}, &made);
  return py::bytes(made.append(vector_bytes(lattice)));
}

VectorLayout layout_of(const std::string &arc_type) {
  if (arc_type == "standard" || arc_type == "log") return {1, false, false};
  if (arc_type == "tropical_LT_tropical_LT_tropical") return {3, false, false};
  if (arc_type == "lattice4") return {2, false, false};
  if (arc_type == "lattice8") return {2, true, false};
  if (arc_type == "compactlattice44") return {2, false, true};
  if (arc_type == "compactlattice84") return {2, true, true};
  throw std::invalid_argument("no layout is known of arcs of type " + arc_type);
}

}  // namespace

FlatLattice flat_lattice(const py::tuple &parts) {
  FlatLattice lattice;
  take_states(parts, &lattice);
  return lattice;
}

FlatCompactLattice flat_compact_lattice(const py::tuple &parts) {
  FlatCompactLattice lattice;
  take_states(parts, &lattice);
  const auto string_offsets = parts[4].cast<InputArray<int64_t>>();
  const auto strings = parts[5].cast<InputArray<int32_t>>();
  check_offsets(string_offsets, static_cast<py::ssize_t>(lattice.arcs.size() + lattice.finals.size()), strings.size());
  lattice.string_offsets.assign(string_offsets.data(), string_offsets.data() + string_offsets.size());
  lattice.strings.assign(strings.data(), strings.data() + strings.size());
  return lattice;
}

py::tuple parts_of(FlatLattice &&lattice) {
  py::array_t<float> finals = final_array(lattice);
  return py::make_tuple(lattice.start, as_array(std::move(lattice.offsets)), as_array(std::move(lattice.arcs)), finals);
}

py::tuple parts_of(FlatCompactLattice &&lattice) {
  py::array_t<float> finals = final_array(lattice);
  return py::make_tuple(lattice.start, as_array(std::move(lattice.offsets)), as_array(std::move(lattice.arcs)), finals,
                        as_array(std::move(lattice.string_offsets)), as_array(std::move(lattice.strings)));
}

void add_lattices(py::module_ &m) {
  PYBIND11_NUMPY_DTYPE(FlatArc, ilabel, olabel, graph, acoustic, nextstate);
  PYBIND11_NUMPY_DTYPE(FlatCompactArc, label, graph, acoustic, nextstate);

  m.def("to_lattice", [](const py::tuple &parts) { return without_lock(flat_compact_lattice(parts), to_lattice); });
  m.def("to_compact", [](const py::tuple &parts) { return without_lock(flat_lattice(parts), to_compact); });
  m.def("lattice_reversed", [](const py::tuple &parts) { return without_lock(flat_lattice(parts), reversed); });
  m.def("scaled_lattice", &scaled<FlatLattice, flat_lattice>, "With other costs; see CostChange.");
  m.def("scaled_compact_lattice", &scaled<FlatCompactLattice, flat_compact_lattice>, "With other costs; see CostChange.");
  m.def("lattice_text", [](const py::tuple &parts, int precision) {
    return py::bytes(text_of(flat_lattice(parts), precision));
  });
  m.def("compact_lattice_text", [](const py::tuple &parts, int precision) {
    return py::bytes(text_of(flat_compact_lattice(parts), precision));
  });
  m.def("tested_properties", [](const py::tuple &parts) { return tested_properties(flat_lattice(parts)); });
  m.def("lattice_file", [](const py::tuple &parts, uint64_t properties) {
    return lattice_file(flat_lattice(parts), kLatticeArcs, properties);
  });
  m.def("compact_lattice_file", [](const py::tuple &parts, uint64_t properties) {
    return lattice_file(flat_compact_lattice(parts), kCompactArcs, properties);
  });
  py::dict(m.attr("forms"))["lattice"] = ObjectForm(&lattice_at, nullptr, "");

  m.def(
      "cheapest_costs",
      [](const py::tuple &parts, const std::vector<std::pair<std::vector<int32_t>, std::vector<int32_t>>> &paths) {
        const FlatLattice lattice = flat_lattice(parts);
        py::gil_scoped_release release;
        std::vector<double> costs;
        for (const auto &[ids, words] : paths) costs.push_back(cheapest_cost(lattice, ids, words));
        return costs;
      },
      "Of the cheapest paths with these (transition-ids, words); states in topological order.");

  py::class_<Graph>(m, "ArcLists", "A graph on arrays: start, offsets [states + 1], next state of each arc.")
      .def(py::init<int32_t, InputArray<int64_t>, InputArray<int32_t>>())
      .def("topological_order",
           [](const Graph &graph) -> py::object {
             std::vector<int32_t> order = topological_order(graph.lists);
             if (order.empty() && graph.lists.num_states > 0) return py::none();
             return as_array(std::move(order));
           })
      .def("useful_states",
           [](const Graph &graph, const InputArray<double> &finals) {
             return as_array(useful_states(graph.lists, graph.finals(finals)));
           })
      .def("costs_from_start",
           [](const Graph &graph, const InputArray<double> &costs) {
             return as_array(costs_from_start(graph.lists, graph.costs(costs)));
           })
      .def("costs_to_end",
           [](const Graph &graph, const InputArray<double> &costs, const InputArray<double> &finals) {
             return as_array(costs_to_end(graph.lists, graph.costs(costs), graph.finals(finals)));
           })
      .def("log_sums_from_start",
           [](const Graph &graph, const InputArray<double> &costs) {
             return as_array(log_sums_from_start(graph.lists, graph.costs(costs)));
           })
      .def("log_sums_to_end",
           [](const Graph &graph, const InputArray<double> &costs, const InputArray<double> &finals) {
             return as_array(log_sums_to_end(graph.lists, graph.costs(costs), graph.finals(finals)));
           })
      .def("means_from_start",
           [](const Graph &graph, const InputArray<double> &costs, const InputArray<double> &sums,
              const InputArray<double> &values) {
             return as_array(means_from_start(graph.lists, graph.costs(costs), graph.finals(sums), graph.costs(values)));
           })
      .def("means_to_end",
           [](const Graph &graph, const InputArray<double> &costs, const InputArray<double> &sums,
              const InputArray<double> &values) {
             return as_array(means_to_end(graph.lists, graph.costs(costs), graph.finals(sums), graph.costs(values)));
           })
      .def("lengths_from_start",
           [](const Graph &graph, const InputArray<int64_t> &lengths) {
             if (lengths.size() != graph.lists.num_arcs()) throw std::invalid_argument("one length for each arc is needed");
             return as_array(lengths_from_start(graph.lists, lengths.data()));
           })
      .def("best_path",
           [](const Graph &graph, const InputArray<double> &costs, const InputArray<double> &finals) {
             return path_parts(best_path(graph.lists, graph.costs(costs), graph.finals(finals)));
           })
      .def("n_best_paths", [](const Graph &graph, const InputArray<double> &costs, const InputArray<double> &finals,
                              int32_t n) {
        py::list paths;
        for (Path &path : n_best_paths(graph.lists, graph.costs(costs), graph.finals(finals), n))
          paths.append(path_parts(std::move(path)));
        return paths;
      });

  m.def(
      "vector_bytes",
      [](const InputArray<float> &finals, const InputArray<int64_t> &offsets, const InputArray<FstArc> &arcs) {
        if (offsets.size() != finals.size() + 1 || offsets.at(0) < 0 || offsets.at(finals.size()) > arcs.size() ||
            !std::is_sorted(offsets.data(), offsets.data() + offsets.size()))
          throw std::invalid_argument("the states and arcs of the FST do not fit together");
        const auto states = static_cast<int32_t>(finals.size());
        return py::bytes(vector_bytes(FstView{0, states, finals.data(), offsets.data(), arcs.data()}));
      },
      "The states of an FST, some or all, as in files of type vector.");
  py::class_<VectorReader>(m, "VectorReader", "Reads the body of an FST file of type vector; see vector_fst.h.")
      .def(py::init([](const std::string &arc_type, int64_t num_states) {
        return VectorReader(layout_of(arc_type), num_states);
      }))
      .def("feed",
           [](VectorReader &reader, const py::buffer &buffer, size_t begin, size_t end) {
             const py::buffer_info info = buffer.request();
             if (begin > end || static_cast<py::ssize_t>(end) > info.size) throw std::out_of_range("no such bytes");
             return reader.feed(static_cast<const char *>(info.ptr) + begin, end - begin);
           })
      .def_property_readonly("done", &VectorReader::done)
      .def_property_readonly("between_states", &VectorReader::between_states)
      .def_property_readonly("wanted", &VectorReader::wanted)
      .def("result", [](VectorReader &reader) {
        auto [ends, strings] = strings_of(reader);
        return py::make_tuple(as_array(std::move(reader.offsets)), as_array(std::move(reader.arcs)),
                              as_array(std::move(reader.finals)), as_array(std::move(ends)),
                              as_array(std::move(strings)));
      });
}

}  // namespace kaldi_bridge
