// Indices are given as (start, finals, offsets, arcs) of kaldi_bridge.kws.keyword_index.KeywordIndex.

#include "keyword_module.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fst_views.h"
#include "keyword_index.h"
#include "keyword_search.h"
#include "lattice_arrays.h"
#include "vector_fst.h"

namespace py = pybind11;

namespace kaldi_bridge {
namespace {

// The arrays that a view looks at.
class IndexArrays {
 public:
  explicit IndexArrays(const py::tuple &parts) : start_(parts[0].cast<int32_t>()), finals_(parts[1]), offsets_(parts[2]), arcs_(parts[3]) {
    check_offsets(offsets_, finals_.size(), arcs_.size());
    for (py::ssize_t i = 0; i < arcs_.size(); i++) {
      const IndexArc &arc = arcs_.data()[i];
      if (arc.nextstate < 0 || arc.nextstate >= finals_.size() || arc.ilabel < 0 || arc.olabel < 0)
        throw std::invalid_argument("it has a negative label, or an arc to no state");
    }
    if (start_ < -1 || start_ >= finals_.size()) throw std::invalid_argument("its start is none of its states");
  }

  IndexView view() const {
    return {start_, static_cast<int32_t>(finals_.size()), finals_.data(), offsets_.data(), arcs_.data()};
  }
  KeywordIndex copy() const {
    const IndexView from = view();
    return {start_, {from.finals, from.finals + from.num_states}, {from.offsets, from.offsets + from.num_states + 1},
            {from.arcs, from.arcs + arcs_.size()}};
  }

 private:
  int32_t start_;
  InputArray<TimedWeight> finals_;
  InputArray<int64_t> offsets_;
  InputArray<IndexArc> arcs_;
};

py::tuple arrays_of(KeywordIndex &&fst) {
  return py::make_tuple(fst.start, as_array(std::move(fst.finals)), as_array(std::move(fst.offsets)),
                        as_array(std::move(fst.arcs)));
}

py::tuple lattice_index(const py::tuple &lattice, int32_t utterance, int32_t max_silence_frames, int64_t max_states,
                        bool allow_partial) {
  const FlatCompactLattice flat = flat_compact_lattice(lattice);
  LatticeIndex made = [&] {
    py::gil_scoped_release release;
    return index_of(flat, utterance, max_silence_frames, {max_states, allow_partial});
  }();
  return py::make_tuple(arrays_of(std::move(made.index)), made.warnings);
}

py::tuple union_of(const std::vector<py::tuple> &indices, bool from_first_start) {
  std::vector<IndexArrays> arrays(indices.begin(), indices.end());
  std::vector<IndexView> views;
  for (const IndexArrays &index : arrays) views.push_back(index.view());
  return arrays_of([&] {
    py::gil_scoped_release release;
    return united(std::move(views), from_first_start);
  }());
}

py::tuple optimized_index(const py::tuple &index, int64_t max_states) {
  KeywordIndex copy = IndexArrays(index).copy();
  std::string warning;
  {
    py::gil_scoped_release release;
    copy = optimized(std::move(copy), {max_states, false}, &warning);
  }
  return py::make_tuple(arrays_of(std::move(copy)), warning);
}

// (whether there is any, float64 [occurrences, 4]: utterance, begin, end, cost; how many unexpected ones; lists of these four
// of paths with their labels after them).
py::tuple found(KeywordSearch &search, const py::tuple &parts, int32_t most, bool with_paths) {
  const InputArray<float> finals(parts[1]);
  const InputArray<int64_t> offsets(parts[2]);
  const InputArray<FstArc> arcs(parts[3]);
  const FstView keyword = labelled_fst_view(parts[0].cast<int32_t>(), finals, offsets, arcs);
  const Found all = [&] {
    py::gil_scoped_release release;
    return search.find(keyword, most, with_paths);
  }();
  const auto numbers_of = [](const Occurrence &one) {
    const TimedWeight &weight = one.weight;
    return std::array<double, 4>{static_cast<double>(one.utterance), std::trunc(weight.begin), std::trunc(weight.end), weight.cost};
  };
  py::array_t<double> occurrences({static_cast<py::ssize_t>(all.occurrences.size()), py::ssize_t{4}});
  double *to = occurrences.mutable_data();
  for (const Occurrence &one : all.occurrences) {
    const std::array<double, 4> numbers = numbers_of(one);
    to = std::copy(numbers.begin(), numbers.end(), to);
  }
  py::list paths;
  for (const MatchedPath &path : all.paths) {
    const std::array<double, 4> numbers = numbers_of(path.occurrence);
    std::vector<double> row(numbers.begin(), numbers.end());
    row.insert(row.end(), path.labels.begin(), path.labels.end());
    paths.append(row);
  }
  return py::make_tuple(all.any, occurrences, all.unexpected, paths);
}

}  // namespace

void add_keywords(py::module_ &m) {
  PYBIND11_NUMPY_DTYPE(TimedWeight, cost, begin, end);
  PYBIND11_NUMPY_DTYPE(IndexArc, ilabel, olabel, weight, nextstate);

  m.def("lattice_index", &lattice_index, "The index of a lattice, and warnings.");
  m.def("index_union", &union_of);
  m.def("optimized_index", &optimized_index, "Determinized and minimized; also why not, where it was not determinized.");
  m.def("index_bytes", [](const py::tuple &index) { return py::bytes(vector_bytes(IndexArrays(index).view())); });
  py::class_<KeywordSearch>(m, "KeywordSearch", "See keyword_search.h.")
      .def(py::init([](const py::tuple &index) { return std::make_unique<KeywordSearch>(IndexArrays(index).copy()); }))
      .def("find", &found);
}

}  // namespace kaldi_bridge
