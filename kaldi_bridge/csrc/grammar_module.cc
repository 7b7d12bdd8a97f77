#include "grammar_module.h"

#include <pybind11/stl.h>

#include <memory>
#include <vector>

#include "fst_views.h"
#include "grammar_graph.h"

namespace py = pybind11;

namespace kaldi_bridge {
namespace {

// An FST as (start, finals, offsets, arcs).
FstView view_of(const py::tuple &fst) {
  return labelled_fst_view(fst[0].cast<int32_t>(), fst[1].cast<KeptArray<float>>(), fst[2].cast<KeptArray<int64_t>>(),
                    fst[3].cast<KeptArray<FstArc>>());
}

std::unique_ptr<GrammarGraph> make_graph(int32_t offset, const py::tuple &top, const std::vector<int32_t> &nonterminals,
                                         const std::vector<py::tuple> &others, const std::vector<int32_t> &tid_to_pdf) {
  const FstView first = view_of(top);
  std::vector<FstView> views;
  for (const py::tuple &other : others) views.push_back(view_of(other));
  py::gil_scoped_release release;
  return std::make_unique<GrammarGraph>(offset, first, nonterminals, views, tid_to_pdf);
}

}  // namespace

void add_grammar(py::module_ &m) {
  py::class_<GrammarGraph, Graph>(m, "GrammarGraph")
      .def(py::init(&make_graph), py::arg("offset"), py::arg("top"), py::arg("nonterminals"), py::arg("others"),
           py::arg("tid_to_pdf"), "The arrays of the FSTs must live as long as it.");
}

}  // namespace kaldi_bridge
