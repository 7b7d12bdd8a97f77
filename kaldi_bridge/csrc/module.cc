// The C++ part of kaldi_bridge, for Python: search, determinization and epsilon removal, without the interpreter's lock;
// examples, resampling, language models.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "arpa_module.h"
#include "determinize.h"
#include "epsilon_removal.h"
#include "example_module.h"
#include "mutable_fst_module.h"
#include "packed_acceptors_module.h"
#include "resampling.h"
#include "search.h"

namespace py = pybind11;
using namespace kaldi_bridge;

namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

std::unique_ptr<Graph> make_graph(int32_t start, Array<float> finals, Array<int64_t> offsets, Array<int32_t> ilabels,
                                  Array<int32_t> olabels, Array<float> weights, Array<int32_t> nextstates,
                                  const std::vector<int32_t> &tid_to_pdf) {
  const size_t states = finals.size(), arcs = ilabels.size();
  if (static_cast<size_t>(offsets.size()) != states + 1 || static_cast<size_t>(olabels.size()) != arcs ||
      static_cast<size_t>(weights.size()) != arcs || static_cast<size_t>(nextstates.size()) != arcs)
    throw std::invalid_argument("the graph's arrays have different sizes");
  for (size_t s = 0; s < states; s++)
    if (offsets.at(s) < 0 || offsets.at(s) > offsets.at(s + 1)) throw std::invalid_argument("the graph's offsets decrease");
  if (states > 0 && (offsets.at(0) != 0 || static_cast<size_t>(offsets.at(states)) != arcs))
    throw std::invalid_argument("the graph's offsets do not end where its arcs do");
  return std::make_unique<Graph>(start, finals.data(), offsets.data(), states, ilabels.data(), olabels.data(),
                                 weights.data(), nextstates.data(), tid_to_pdf);
}

void check_likelihoods(int32_t num_pdfs, const Array<float> &likelihoods) {
  if (likelihoods.ndim() != 2 || likelihoods.shape(0) < 1) throw std::invalid_argument("no frames to search");
  if (likelihoods.shape(1) < num_pdfs)
    throw std::invalid_argument("the graph needs " + std::to_string(num_pdfs) + " pdfs, but there are only " +
                                std::to_string(likelihoods.shape(1)));
}

SearchResult run_search(const Graph &graph, const SearchOptions &options, Array<float> likelihoods, float scale) {
  check_likelihoods(graph.num_pdfs(), likelihoods);
  const float *data = likelihoods.data();
  const int64_t frames = likelihoods.shape(0), pdfs = likelihoods.shape(1);
  py::gil_scoped_release release;
  return search(graph, options, data, frames, pdfs, scale);
}

py::object cost_pair(const Cost &cost) {
  if (cost.is_infinite()) return py::none();
  return py::make_tuple(static_cast<float>(cost.graph), static_cast<float>(cost.acoustic));
}

// (arcs, finals) of kaldi_bridge.lattices.lattice.Lattice, acoustic costs times `scale`.
py::tuple lattice_lists(const Lattice &lattice, double scale) {
  py::list arcs(lattice.size()), finals(lattice.size());
  for (size_t s = 0; s < lattice.size(); s++) {
    py::list out(lattice[s].arcs.size());
    for (size_t i = 0; i < lattice[s].arcs.size(); i++) {
      const Arc &arc = lattice[s].arcs[i];
      out[i] = py::make_tuple(arc.tid, arc.word, static_cast<float>(arc.cost.graph),
                              static_cast<float>(arc.cost.acoustic * scale), arc.next);
    }
    arcs[s] = out;
    const Cost &final = lattice[s].final;
    finals[s] = cost_pair({final.graph, final.is_infinite() ? 0.0 : final.acoustic * scale});
  }
  return py::make_tuple(arcs, finals);
}

py::tuple compact_lists(const CompactLattice &lattice, double scale) {
  py::list arcs(lattice.size()), finals(lattice.size());
  for (size_t s = 0; s < lattice.size(); s++) {
    const CompactState &state = lattice[s];
    py::list out(state.arcs.size());
    for (size_t i = 0; i < state.arcs.size(); i++) {
      const CompactArc &arc = state.arcs[i];
      out[i] = py::make_tuple(arc.word, static_cast<float>(arc.cost.graph),
                              static_cast<float>(arc.cost.acoustic * scale), py::tuple(py::cast(arc.tids)), arc.next);
    }
    arcs[s] = out;
    if (state.final.is_infinite())
      finals[s] = py::none();
    else
      finals[s] = py::make_tuple(static_cast<float>(state.final.graph), static_cast<float>(state.final.acoustic * scale),
                                 py::tuple(py::cast(state.final_tids)));
  }
  return py::make_tuple(arcs, finals);
}

// From kaldi_bridge.lattices.lattice.Lattice; state 0 of the result is the start state.
Lattice lattice_from_lists(int32_t start, const py::list &arcs, const py::list &finals) {
  const int32_t n = static_cast<int32_t>(arcs.size());
  if (finals.size() != arcs.size() || (n > 0 && (start < 0 || start >= n)))
    throw std::invalid_argument("the lattice's arcs, final costs and start state do not fit together");
  auto number = [&](int32_t s) { return s == start ? 0 : s == 0 ? start : s; };
  Lattice lattice(n);
  for (int32_t s = 0; s < n; s++) {
    State &state = lattice[number(s)];
    for (const py::handle item : py::list(arcs[s])) {
      const py::tuple arc = py::reinterpret_borrow<py::tuple>(item);
      const int32_t next = arc[4].cast<int32_t>();
      if (next < 0 || next >= n) throw std::invalid_argument("the lattice has an arc to a state that does not exist");
      state.arcs.push_back({arc[0].cast<int32_t>(), arc[1].cast<int32_t>(),
                            {arc[2].cast<double>(), arc[3].cast<double>()}, number(next)});
    }
    if (!finals[s].is_none()) {
      const py::tuple final = py::reinterpret_borrow<py::tuple>(finals[s]);
      state.final = {final[0].cast<double>(), final[1].cast<double>()};
    }
  }
  return lattice;
}

// (start, finals, offsets, arcs) of kaldi_bridge.fsts.fst.Fst without the epsilons that can go.
py::tuple epsilons_removed(int32_t start, Array<float> finals, Array<int64_t> offsets, Array<FstArc> arcs, bool in_log) {
  const int32_t states = static_cast<int32_t>(finals.size());
  if (offsets.size() != states + 1 || start < 0 || start >= states || offsets.at(0) != 0 || offsets.at(states) != arcs.size())
    throw std::invalid_argument("the FST's start, states and arcs do not fit together");
  MutableFst fst;
  fst.start = start;
  fst.finals.assign(finals.data(), finals.data() + states);
  fst.arcs.resize(states);
  for (int32_t s = 0; s < states; s++) {
    if (offsets.at(s) > offsets.at(s + 1)) throw std::invalid_argument("the FST's offsets decrease");
    fst.arcs[s].assign(arcs.data() + offsets.at(s), arcs.data() + offsets.at(s + 1));
    for (const FstArc &arc : fst.arcs[s])
      if (arc.nextstate < 0 || arc.nextstate >= states) throw std::invalid_argument("the FST has an arc to no state");
  }
  {
    py::gil_scoped_release release;
    remove_epsilons_local(fst, in_log);
  }
  return to_arrays(fst);
}

}  // namespace

PYBIND11_MODULE(_csrc, m) {
  m.doc() = "Search, lattice determinization, epsilon removal, training examples and resampling for kaldi_bridge.";

  PYBIND11_NUMPY_DTYPE(FstArc, ilabel, olabel, weight, nextstate);
  add_examples(m);
  m.def("remove_epsilons_local", &epsilons_removed, "Removes epsilons where the FST does not grow.");
  add_packed_acceptors(m);
  add_resampling(m);
  add_arpa(m);

  py::class_<SearchOptions>(m, "SearchOptions")
      .def(py::init<>())
      .def_readwrite("beam", &SearchOptions::beam)
      .def_readwrite("max_active", &SearchOptions::max_active)
      .def_readwrite("min_active", &SearchOptions::min_active)
      .def_readwrite("lattice_beam", &SearchOptions::lattice_beam)
      .def_readwrite("prune_interval", &SearchOptions::prune_interval)
      .def_readwrite("beam_delta", &SearchOptions::beam_delta)
      .def_readwrite("prune_scale", &SearchOptions::prune_scale);

  py::class_<DeterminizeOptions>(m, "DeterminizeOptions")
      .def(py::init<>())
      .def_readwrite("beam", &DeterminizeOptions::beam)
      .def_readwrite("delta", &DeterminizeOptions::delta)
      .def_readwrite("max_memory", &DeterminizeOptions::max_memory)
      .def_readwrite("phones_first", &DeterminizeOptions::phones_first)
      .def_readwrite("words", &DeterminizeOptions::words);

  py::class_<Graph>(m, "Graph").def(py::init(&make_graph)).def_property_readonly("num_pdfs", &Graph::num_pdfs);

  py::class_<SearchResult>(m, "SearchResult")
      .def_readonly("reached_final", &SearchResult::reached_final)
      .def_property_readonly("num_states", [](const SearchResult &r) { return r.lattice.size(); })
      .def("best_path",
           [](const SearchResult &r) {
             const BestPath best = best_path(r.lattice);
             return py::make_tuple(best.words, best.tids, cost_pair(best.cost));
           })
      .def("lattice", [](const SearchResult &r, double scale) { return lattice_lists(r.lattice, scale); })
      .def("determinized", [](const SearchResult &r, const std::vector<int32_t> &phone_of,
                              const DeterminizeOptions &options, double scale) {
        Determinized done;
        {
          py::gil_scoped_release release;
          done = determinize(r.lattice, phone_of, options);
        }
        return py::make_tuple(compact_lists(done.lattice, scale), done.complete);
      });

  py::class_<OnlineSearch>(m, "OnlineSearch")
      .def(py::init<const Graph &, const SearchOptions &, float>(), py::keep_alive<1, 2>())
      .def("advance",
           [](OnlineSearch &search, Array<float> likelihoods, int32_t num_pdfs) {
             check_likelihoods(num_pdfs, likelihoods);
             const float *data = likelihoods.data();
             const int64_t frames = likelihoods.shape(0), pdfs = likelihoods.shape(1);
             py::gil_scoped_release release;
             search.advance(data, frames, pdfs);
           })
      .def_property_readonly("num_frames", &OnlineSearch::num_frames)
      .def_property_readonly("final_relative_cost", &OnlineSearch::final_relative_cost)
      .def("best_alignment", &OnlineSearch::best_alignment)
      .def("result", &OnlineSearch::result, py::call_guard<py::gil_scoped_release>());

  m.def("search", &run_search, "Token passing over scaled log-likelihoods [frames, pdfs].");
  m.def(
      "determinize",
      [](int32_t start, const py::list &arcs, const py::list &finals, const std::vector<int32_t> &phone_of,
         const DeterminizeOptions &options) {
        Lattice lattice = lattice_from_lists(start, arcs, finals);
        Determinized done;
        {
          py::gil_scoped_release release;
          done = determinize(std::move(lattice), phone_of, options);
        }
        return py::make_tuple(compact_lists(done.lattice, 1.0), done.complete);
      },
      "Determinizes a lattice over its words.");
}
