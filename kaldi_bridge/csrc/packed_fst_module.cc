// Operations on kaldi_bridge.fsts.fst.Fst, given as (start, finals, offsets, arcs), without the interpreter's lock.

#include "packed_fst_module.h"

#include <pybind11/stl.h>

#include "context_composition.h"
#include "encoded_minimization.h"
#include "fst_views.h"
#include "h_transducer.h"
#include "lattice_arrays.h"
#include "packed_fst.h"
#include "self_loops.h"
#include "special_pushing.h"
#include "star_determinization.h"
#include "stochasticity.h"
#include "table_composition.h"

namespace py = pybind11;

namespace kaldi_bridge {
namespace {

// The arrays that a view looks at.
class FstArrays {
 public:
  explicit FstArrays(const py::tuple &parts)
      : finals_(parts[1]),
        offsets_(parts[2]),
        arcs_(parts[3]),
        view_(labelled_fst_view(parts[0].cast<int32_t>(), finals_, offsets_, arcs_)) {}

  const FstView &view() const { return view_; }
  InputArray<float> &finals() { return finals_; }
  InputArray<FstArc> &arcs() { return arcs_; }

 private:
  InputArray<float> finals_;
  InputArray<int64_t> offsets_;
  InputArray<FstArc> arcs_;
  FstView view_;
};

py::tuple arrays_of(PackedFst &&fst) {
  return py::make_tuple(fst.start, as_array(std::move(fst.finals)), as_array(std::move(fst.offsets)),
                        as_array(std::move(fst.arcs)));
}

template <class F>
py::tuple made(F f) {
  PackedFst fst = [&] {
    py::gil_scoped_release release;
    return f();
  }();
  return arrays_of(std::move(fst));
}

// (forward pdf class, self-loop's, (target, cost) of each transition) of each state.
using TopologyEntry = std::vector<std::tuple<int32_t, int32_t, std::vector<std::pair<int32_t, float>>>>;

Hmms hmms_of(const InputArray<int32_t> &nodes, const InputArray<int32_t> &values, int32_t width, int32_t central,
             const std::vector<TopologyEntry> &entries, std::map<int32_t, int32_t> entry_of_phone,
             const InputArray<int32_t> &states, std::vector<int32_t> first_ids, std::vector<float> costs, float scale) {
  if (nodes.ndim() != 2 || nodes.shape(1) != 4 || states.ndim() != 2 || states.shape(1) != 4 ||
      static_cast<py::ssize_t>(first_ids.size()) != states.shape(0) || costs.empty())
    throw std::invalid_argument("the parts of a tree or a transition model do not fit together");
  TreeNodes tree;
  for (py::ssize_t i = 0; i < nodes.shape(0); i++)
    tree.nodes.push_back({nodes.at(i, 0), nodes.at(i, 1), nodes.at(i, 2), nodes.at(i, 3)});
  tree.values.assign(values.data(), values.data() + values.size());
  Topologies topologies;
  topologies.entry_of_phone = std::move(entry_of_phone);
  for (const TopologyEntry &entry : entries) {
    topologies.entries.emplace_back();
    for (const auto &[forward, loop, transitions] : entry) {
      topologies.entries.back().push_back({forward, loop, {}});
      for (const auto &[target, cost] : transitions) topologies.entries.back().back().transitions.push_back({target, cost});
    }
  }
  TransitionTable table;
  for (py::ssize_t i = 0; i < states.shape(0); i++)
    table.states.push_back({states.at(i, 0), states.at(i, 1), states.at(i, 2), states.at(i, 3)});
  table.first_ids = std::move(first_ids);
  table.costs = std::move(costs);
  return Hmms({std::move(tree), width}, central, std::move(topologies), std::move(table), scale);
}

}  // namespace

void add_packed_fsts(py::module_ &m) {
  m.def("compose", [](const py::tuple &first, const py::tuple &second, bool sorted) {
    const FstArrays one(first), other(second);
    LabelIndex<float> inputs(other.view(), &FstArc::ilabel);
    return made([&] { return composed(one.view(), &inputs, sorted ? Searched::kOneWithMoreArcs : Searched::kFirst); });
  });
  m.def("compose_context", [](const py::tuple &parts, const std::vector<int32_t> &disambig, int32_t width, int32_t central,
                              int32_t end_symbol) {
    const FstArrays fst(parts);
    if (central < 0 || central >= width) throw std::invalid_argument("the central phone is not in the window");
    for (const int32_t symbol : disambig)
      if (symbol <= 0 || symbol == INT32_MAX) throw std::invalid_argument("a disambiguation symbol is out of range");
    for (const int32_t symbol : disambig)
      if (end_symbol > 0 && symbol >= end_symbol) throw std::invalid_argument("the symbol for the end must be the largest");
    InContext made = [&] {
      py::gil_scoped_release release;
      return in_context(fst.view(), disambig, width, central, end_symbol);
    }();
    return py::make_tuple(arrays_of(std::move(made.fst)), made.labels);
  });
  m.def("determinize_star", [](const py::tuple &parts, bool in_log, float delta, int64_t max_states) {
    FstArrays fst(parts);
    FstArc *arcs = fst.arcs().mutable_data();
    const FstView view = fst.view();
    return made([&] {
      sort_for_determinization(view.num_states, view.offsets, arcs, in_log);
      return star_determinized(view, CostSemiring{in_log}, {delta, max_states, true});
    });
  });
  m.def("minimize_encoded", [](const py::tuple &parts, float delta) {
    const FstArrays fst(parts);
    return made([&] { return encoded_minimized(fst.view(), delta); });
  });
  m.def("costs_out", [](const py::tuple &parts, bool in_log) { return costs_out(FstArrays(parts).view(), in_log); });
  m.def("push_special", [](const py::tuple &parts, float delta) {  // in place
    FstArrays fst(parts);
    if (fst.view().start < 0) throw std::invalid_argument("the FST has no start");
    float *finals = fst.finals().mutable_data();
    FstArc *arcs = fst.arcs().mutable_data();
    const FstView view = fst.view();
    py::gil_scoped_release release;
    return push_special(view, delta, finals, arcs);
  });
  py::class_<Hmms>(m, "Hmms", "See h_transducer.h.")
      .def(py::init(&hmms_of))
      .def("h_transducer", [](Hmms &hmms, const std::vector<std::vector<int32_t>> &labels, int32_t offset, int32_t first,
                              int32_t multiple) {
        HTransducer made = h_transducer(labels, &hmms, {offset, first, multiple});
        return py::make_tuple(arrays_of(std::move(made.fst)), made.disambig);
      });
  m.def("add_self_loops", [](const py::tuple &parts, std::vector<int32_t> of_label, std::vector<int32_t> loop_labels,
                             std::vector<float> loop_costs, std::vector<float> leaving_costs, bool after) {
    const FstArrays fst(parts);
    const size_t count = loop_labels.size();
    if (loop_costs.size() != count || leaving_costs.size() != count)
      throw std::invalid_argument("what is known of transition states must be of one length");
    for (const int32_t state : of_label)
      if (state < 0 || static_cast<size_t>(state) >= count) throw std::invalid_argument("a label has no transition state");
    const TransitionStates states = {std::move(of_label), std::move(loop_labels), std::move(loop_costs),
                                     std::move(leaving_costs)};
    return made([&] { return with_self_loops(fst.view(), states, after); });
  });
}

}  // namespace kaldi_bridge
