// The C++ part of kaldi_bridge, for Python: search, determinization and epsilon removal, without the interpreter's lock;
// examples, resampling, spectra, pitch, language models.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <tuple>

#include "arpa_module.h"
#include "best_path_search.h"
#include "composition_module.h"
#include "determinize_module.h"
#include "epsilon_removal.h"
#include "example_making_module.h"
#include "example_module.h"
#include "float_arithmetic.h"
#include "fst_text_module.h"
#include "fst_views.h"
#include "grammar_module.h"
#include "ivector_module.h"
#include "keyword_module.h"
#include "language_model_module.h"
#include "lattice_arrays.h"
#include "lattice_module.h"
#include "lookahead_module.h"
#include "mutable_fst_module.h"
#include "ngram_histories.h"
#include "object_module.h"
#include "outcome_module.h"
#include "packed_acceptors_module.h"
#include "packed_fst_module.h"
#include "pitch_module.h"
#include "resampling.h"
#include "rescored_graph.h"
#include "sampling_module.h"
#include "scoring_module.h"
#include "search.h"
#include "shorten.h"
#include "shortest_paths.h"
#include "split_radix.h"
#include "utterance_splitting_module.h"
#include "windowing.h"

namespace py = pybind11;
using namespace kaldi_bridge;

namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

// The arrays stay alive with the graph, as they are: none may need a conversion.
std::unique_ptr<StaticGraph> make_graph(int32_t start, py::array_t<float> finals, py::array_t<int64_t> offsets,
                                        py::array_t<FstArc> arcs, std::vector<int32_t> tid_to_pdf) {
  const FstView view = fst_view(start, finals, offsets, arcs);
  return std::make_unique<StaticGraph>(view, arcs.mutable_data(), std::move(tid_to_pdf));
}

py::object cost_pair(const Cost &cost) {
  if (cost.is_infinite()) return py::none();
  return py::make_tuple(static_cast<float>(cost.graph), static_cast<float>(cost.acoustic));
}

py::tuple run_best_path_search(const Graph &graph, const SearchOptions &options, Array<float> likelihoods, float scale,
                               size_t buckets, float ratio) {
  if (buckets < 1) throw std::invalid_argument("the table of tokens needs a bucket");
  check_likelihoods(graph.num_pdfs(), likelihoods);
  const float *data = likelihoods.data();
  const int64_t frames = likelihoods.shape(0), pdfs = likelihoods.shape(1);
  FoundPath found;
  {
    py::gil_scoped_release release;
    found = search_best_path(graph, options, data, frames, pdfs, scale, {buckets, ratio});
  }
  return py::make_tuple(found.path.words, found.path.tids, cost_pair(found.path.cost), found.reached_final,
                        parts_of(std::move(found.lattice)), found.buckets);
}

// (start, finals, offsets, arcs) of kaldi_bridge.fsts.fst.Fst after a change, made without the interpreter's lock.
template <class Change>
py::tuple changed(int32_t start, Array<float> finals, Array<int64_t> offsets, Array<FstArc> arcs, Change change) {
  const FstView view = fst_view(start, finals, offsets, arcs);
  if (start < 0) throw std::invalid_argument("the FST has no start");
  MutableFst fst;
  fst.start = start;
  fst.finals.assign(view.finals, view.finals + view.num_states);
  for (int32_t s = 0; s < view.num_states; s++) fst.arcs.emplace_back(view.begin(s), view.end(s));
  {
    py::gil_scoped_release release;
    change(fst);
  }
  return to_arrays(fst);
}

py::tuple epsilons_removed(int32_t start, Array<float> finals, Array<int64_t> offsets, Array<FstArc> arcs,
                           bool stochastic_in_log, bool equivalent_in_log) {
  const RemovalOptions options{stochastic_in_log, equivalent_in_log};
  return changed(start, finals, offsets, arcs, [&](MutableFst &fst) { remove_epsilons_local(fst, options); });
}

py::tuple connected(int32_t start, Array<float> finals, Array<int64_t> offsets, Array<FstArc> arcs) {
  return changed(start, finals, offsets, arcs, [](MutableFst &fst) { fst.connect(); });
}

py::tuple paths(int32_t start, Array<float> finals, Array<int64_t> offsets, Array<FstArc> arcs, int32_t count, bool unique,
                float delta, float most, int32_t states) {
  return changed(start, finals, offsets, arcs, [&](MutableFst &fst) {
    PackedFst whole;
    for (int32_t s = 0; s < fst.num_states(); s++) {
      whole.arcs.insert(whole.arcs.end(), fst.arcs[s].begin(), fst.arcs[s].end());
      whole.offsets.push_back(static_cast<int64_t>(whole.arcs.size()));
    }
    const FstView parts{fst.start, fst.num_states(), fst.finals.data(), whole.offsets.data(), whole.arcs.data()};
    fst = shortest_paths(parts, {count, unique, delta, most, states});
  });
}

// Of the arcs of each state. As OpenFst's ArcSort, which leaves those of the same labels in no particular order.
py::array_t<FstArc> arcs_sorted(Array<int64_t> offsets, Array<FstArc> arcs, bool by_output) {
  py::array_t<FstArc> sorted(arcs.size());
  std::copy(arcs.data(), arcs.data() + arcs.size(), sorted.mutable_data());
  for (py::ssize_t s = 0; s + 1 < offsets.size(); s++) {
    const int64_t first = offsets.at(s), last = offsets.at(s + 1);
    if (first < 0 || first > last || last > arcs.size()) throw std::invalid_argument("the FST's offsets do not fit");
    std::sort(sorted.mutable_data() + first, sorted.mutable_data() + last, [&](const FstArc &a, const FstArc &b) {
      return by_output ? std::tie(a.olabel, a.ilabel) < std::tie(b.olabel, b.ilabel)
                       : std::tie(a.ilabel, a.olabel) < std::tie(b.ilabel, b.olabel);
    });
  }
  return sorted;
}

py::array_t<int32_t> ngram_states_after(Array<int64_t> children, Array<int32_t> words, Array<int64_t> followers,
                                        Array<int32_t> labels) {
  const py::ssize_t states = children.size() - 1;
  if (states < 1 || words.size() < states || followers.size() != states + 1 || followers.at(states) != labels.size())
    throw std::invalid_argument("its arrays do not fit together");
  std::vector<int32_t> after;
  {
    py::gil_scoped_release release;
    after = states_after({static_cast<int32_t>(states), children.data(), words.data(), followers.data(), labels.data()});
  }
  return py::array_t<int32_t>(after.size(), after.data());
}

}  // namespace

PYBIND11_MODULE(_csrc, m) {
  m.doc() = "Search, lattice determinization, epsilon removal, training examples, resampling and spectra for kaldi_bridge.";

  PYBIND11_NUMPY_DTYPE(FstArc, ilabel, olabel, weight, nextstate);
  add_objects(m);
  add_utterance_splitting(m);
  add_example_making(m);
  add_examples(m);
  add_float_arithmetic(m);
  add_ivectors(m);
  add_keywords(m);
  m.def("remove_epsilons_local", &epsilons_removed, "Removes epsilons where the FST does not grow.");
  m.def("connected", &connected, "Only states on a path from the start to an end.");
  m.def("shortest_paths", &paths, "The cheapest paths.");
  m.def("arcs_sorted", &arcs_sorted, "The arcs of each state by their labels.");
  m.def("ngram_states_after", &ngram_states_after, "The state after each word of an n-gram model.");
  add_fst_text(m);
  add_packed_acceptors(m);
  add_packed_fsts(m);
  add_pitch(m);
  add_resampling(m);
  add_shorten(m);
  add_arpa(m);
  add_lattices(m);
  add_composition(m);
  add_language_models(m);
  add_sampling(m);
  add_scoring(m);
  add_split_radix(m);
  add_windowing(m);
  add_determinization(m);

  py::class_<SearchOptions>(m, "SearchOptions")
      .def(py::init<>())
      .def_readwrite("beam", &SearchOptions::beam)
      .def_readwrite("max_active", &SearchOptions::max_active)
      .def_readwrite("min_active", &SearchOptions::min_active)
      .def_readwrite("lattice_beam", &SearchOptions::lattice_beam)
      .def_readwrite("prune_interval", &SearchOptions::prune_interval)
      .def_readwrite("beam_delta", &SearchOptions::beam_delta)
      .def_readwrite("prune_scale", &SearchOptions::prune_scale);

  py::class_<Graph>(m, "Graph").def_property_readonly("num_pdfs", &Graph::num_pdfs);
  py::class_<StaticGraph, Graph>(m, "StaticGraph")
      .def(py::init(&make_graph), py::arg("start"), py::arg("finals").noconvert(), py::arg("offsets").noconvert(),
           py::arg("arcs").noconvert(), py::arg("tid_to_pdf"), py::keep_alive<1, 3>(), py::keep_alive<1, 4>(),
           py::keep_alive<1, 5>());
  add_lookahead(m);
  add_grammar(m);
  py::class_<ModelChange>(m, "ModelChange")
      .def(py::init<LanguageModel *, LanguageModel *>(), py::keep_alive<1, 2>(), py::keep_alive<1, 3>())
      .def_property_readonly("missing_word", &ModelChange::missing_word);
  py::class_<RescoredGraph, Graph>(m, "RescoredGraph")
      .def(py::init<const Graph &, ModelChange *>(), py::keep_alive<1, 2>(), py::keep_alive<1, 3>());

  add_outcomes(m);
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
      .def("best_alignment",
           [](const OnlineSearch &search) {
             const std::vector<std::pair<int32_t, int32_t>> steps = search.best_alignment();
             py::array_t<int32_t> made({static_cast<py::ssize_t>(steps.size()), py::ssize_t{2}});
             int32_t *to = made.mutable_data();
             for (const auto &[tid, state] : steps) {
               *to++ = tid;
               *to++ = state;
             }
             return made;
           })
      .def("marked_at_end", [](const OnlineSearch &search, Array<bool> marked) {
        return search.marked_at_end(marked.data(), marked.size());
      })
      .def("best_words", &OnlineSearch::best_words)
      .def("result_so_far", &OnlineSearch::result_so_far, py::call_guard<py::gil_scoped_release>())
      .def("result", &OnlineSearch::result, py::call_guard<py::gil_scoped_release>());

  py::class_<OnlineBestPathSearch>(m, "OnlineBestPathSearch", "See best_path_search.h.")
      .def(py::init([](const Graph &graph, const SearchOptions &options, size_t buckets, float ratio) {
             if (buckets < 1) throw std::invalid_argument("the table of tokens needs a bucket");
             return std::make_unique<OnlineBestPathSearch>(graph, options, 1.0f, TableSize{buckets, ratio});
           }),
           py::keep_alive<1, 2>())
      .def("advance",
           [](OnlineBestPathSearch &search, Array<float> likelihoods, int32_t num_pdfs) {
             check_likelihoods(num_pdfs, likelihoods);
             const float *data = likelihoods.data();
             const int64_t frames = likelihoods.shape(0), pdfs = likelihoods.shape(1);
             py::gil_scoped_release release;
             search.advance(data, frames, pdfs);
           })
      .def("settled_words",
           [](OnlineBestPathSearch &search) {
             return search.settle() ? search.settled_words() : std::vector<int32_t>();
           })
      .def("words_after_settled", &OnlineBestPathSearch::words_after_settled)
      .def("best_path", [](OnlineBestPathSearch &search) {
        const FoundPath found = search.best();
        return py::make_tuple(found.path.words, found.path.tids);
      });

  m.def("search_best_path", &run_best_path_search, "The best path only: words, ids, cost, and whether it reached an end.");
}
