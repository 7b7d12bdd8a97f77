#include "lookahead_module.h"

#include <pybind11/stl.h>

#include <utility>

#include "composed_graph.h"
#include "fst_views.h"
#include "mutable_fst.h"
#include "mutable_fst_module.h"

namespace py = pybind11;

namespace kaldi_bridge {
namespace {

py::tuple found_labels(int32_t start, KeptArray<float> finals, KeptArray<int64_t> offsets, KeptArray<FstArc> arcs, bool of_input) {
  const FstView fst = labelled_fst_view(start, finals, offsets, arcs);
  LabelPairs pairs;
  ReachableLabels labels;
  {
    py::gil_scoped_release release;
    labels = reachable_labels(fst, of_input, &pairs);
  }
  return py::make_tuple(std::move(labels), pairs);
}

ReachableLabels kept_labels(int32_t start, KeptArray<float> finals, KeptArray<int64_t> offsets, KeptArray<FstArc> arcs, bool of_input) {
  const FstView fst = labelled_fst_view(start, finals, offsets, arcs);
  py::gil_scoped_release release;
  return reachable_kept_labels(fst, of_input);
}

std::unique_ptr<SearchLexicon> make_lexicon(int32_t start, KeptArray<float> finals, KeptArray<int64_t> offsets, KeptArray<FstArc> arcs,
                                            const ReachableLabels &reachable, const std::vector<int32_t> &tid_to_pdf,
                                            const std::vector<int32_t> &disambig) {
  const FstView fst = labelled_fst_view(start, finals, offsets, arcs);
  py::gil_scoped_release release;
  return std::make_unique<SearchLexicon>(fst, reachable, tid_to_pdf, disambig);
}

std::unique_ptr<ComposedGraph> make_graph(const SearchLexicon &lexicon, int32_t start, KeptArray<float> finals,
                                          KeptArray<int64_t> offsets, KeptArray<FstArc> arcs, size_t kept_arcs) {
  const FstView fst = labelled_fst_view(start, finals, offsets, arcs);
  py::gil_scoped_release release;
  return std::make_unique<ComposedGraph>(lexicon, Grammar(fst), kept_arcs);
}

MutableFst compose(const FstView &lexicon, const ReachableLabels &reachable, const Grammar &grammar, bool connect) {
  LookaheadComposition composition(lexicon, reachable, grammar, true);
  MutableFst composed;
  composed.start = composition.start();
  std::vector<FstArc> arcs;
  for (int32_t s = 0; s < composition.num_states(); s++) {  // grows on the way
    composition.unfold(s, &arcs);
    composed.arcs.push_back(arcs);
    composed.finals.push_back(composition.final(s));
  }
  if (connect && composed.start >= 0) composed.connect();
  return composed;
}

py::tuple composed(const py::tuple &first, const ReachableLabels &reachable, const py::tuple &second, bool connect) {
  const auto arrays = [](const py::tuple &parts) {
    return labelled_fst_view(parts[0].cast<int32_t>(), parts[1].cast<KeptArray<float>>(), parts[2].cast<KeptArray<int64_t>>(),
                      parts[3].cast<KeptArray<FstArc>>());
  };
  const FstView lexicon = arrays(first), grammar = arrays(second);
  if (reachable.num_states() != lexicon.num_states) throw std::invalid_argument("what it says about labels is not for it");
  MutableFst made;
  {
    py::gil_scoped_release release;
    made = compose(lexicon, reachable, Grammar(grammar), connect);
  }
  return to_arrays(made);
}

}  // namespace

void add_lookahead(py::module_ &m) {
  py::class_<ReachableLabels>(m, "ReachableLabels")
      .def_readonly("of_input", &ReachableLabels::of_input)
      .def_property_readonly("num_states", &ReachableLabels::num_states)
      .def("add_on", [](const ReachableLabels &labels) { return py::bytes(add_on(labels)); });
  m.def("read_add_on", [](const py::bytes &bytes, int32_t states) {
    const std::string_view view(bytes);
    py::gil_scoped_release release;
    return read_add_on(view, states);
  });
  m.def("reachable_labels", &found_labels, "(what can be reached, pairs of old and new labels) of new labels.");
  m.def("reachable_kept_labels", &kept_labels, "What can be reached, where labels keep their numbers.");
  m.def("composed_looking_ahead", &composed, "Two FSTs composed, the first of which looks ahead on its output labels.");
  py::class_<SearchLexicon>(m, "SearchLexicon")
      .def(py::init(&make_lexicon), py::keep_alive<1, 3>(), py::keep_alive<1, 4>(), py::keep_alive<1, 5>(), py::arg("start"),
           py::arg("finals").noconvert(), py::arg("offsets").noconvert(), py::arg("arcs").noconvert(), py::arg("reachable"),
           py::arg("tid_to_pdf"), py::arg("disambig"));
  py::class_<ComposedGraph, Graph>(m, "ComposedGraph").def(py::init(&make_graph), py::keep_alive<1, 2>());
}

}  // namespace kaldi_bridge
