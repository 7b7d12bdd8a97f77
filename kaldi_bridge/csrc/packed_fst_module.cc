// Operations on kaldi_bridge.fsts.fst.Fst, given as (start, finals, offsets, arcs), without the interpreter's lock.

#include "packed_fst_module.h"

#include <pybind11/stl.h>

#include "context_composition.h"
#include "encoded_minimization.h"
#include "fst_views.h"
#include "lattice_arrays.h"
#include "packed_fst.h"
#include "self_loops.h"
#include "special_pushing.h"
#include "star_determinization.h"
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

}  // namespace

void add_packed_fsts(py::module_ &m) {
  m.def("compose", [](const py::tuple &first, const py::tuple &second, bool sorted) {
    const FstArrays one(first), other(second);
    return made([&] { return composed(one.view(), other.view(), sorted); });
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
      return star_determinized(view.start, view.num_states, view.finals, view.offsets, arcs, {in_log, delta, max_states});
    });
  });
  m.def("minimize_encoded", [](const py::tuple &parts, float delta) {
    const FstArrays fst(parts);
    return made([&] { return encoded_minimized(fst.view(), delta); });
  });
  m.def("push_special", [](const py::tuple &parts, float delta) {  // in place
    FstArrays fst(parts);
    if (fst.view().start < 0) throw std::invalid_argument("the FST has no start");
    float *finals = fst.finals().mutable_data();
    FstArc *arcs = fst.arcs().mutable_data();
    const FstView view = fst.view();
    py::gil_scoped_release release;
    return push_special(view, delta, finals, arcs);
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
