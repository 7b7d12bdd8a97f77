#include "scoring_module.h"

#include <pybind11/stl.h>

#include "c_random.h"
#include "compact_states.h"
#include "lattice_alignment.h"
#include "lattice_arrays.h"
#include "sausages.h"

namespace py = pybind11;

namespace kaldi_bridge {

namespace {

void check_ids(const FlatCompactLattice &lattice, const Transitions &transitions) {
  const size_t count = transitions.phones.size();
  if (transitions.finals.size() != count || transitions.loops.size() != count)
    throw std::invalid_argument("what is known of transition-ids must be of one length");
  for (int32_t id : lattice.strings)
    if (id < 1 || static_cast<size_t>(id) >= count) throw std::invalid_argument("there is a transition-id beyond the model");
}

template <class F>
py::tuple aligned(const py::tuple &parts, const Transitions &transitions, F f) {
  const FlatCompactLattice lattice = flat_compact_lattice(parts);
  check_ids(lattice, transitions);
  Aligned made = [&] {
    py::gil_scoped_release release;
    return f(lattice);
  }();
  return py::make_tuple(parts_of(std::move(made.lattice)), made.warnings, made.whole);
}

}  // namespace

void add_scoring(py::module_ &m) {
  m.def("additive_feedback", [](const std::vector<uint32_t> &state, size_t count) {
    if (state.size() != 31) throw std::invalid_argument("the generator has 31 values");
    return as_array(additive_feedback(state, count));
  });
  py::class_<Transitions>(m, "Transitions", "Phone, finality and looping of each transition-id.")
      .def(py::init([](const std::vector<int32_t> &phones, const std::vector<bool> &finals, const std::vector<bool> &loops) {
        return Transitions{phones, {finals.begin(), finals.end()}, {loops.begin(), loops.end()}};
      }));
  py::class_<AlignmentLexicon>(m, "AlignmentLexicon", "Lines of word, word in the result, phones.")
      .def(py::init<const std::vector<Ids> &>())
      .def_readonly("warnings", &AlignmentLexicon::warnings);
  m.def("align_phones", [](const py::tuple &parts, const Transitions &transitions, bool reorder, bool phones_as_labels,
                           bool without_epsilons) {
    return aligned(parts, transitions, [&](const FlatCompactLattice &lattice) {
      return align_phones(lattice, transitions, reorder, phones_as_labels, without_epsilons);
    });
  });
  m.def("align_words", [](const py::tuple &parts, const Transitions &transitions, const std::vector<int32_t> &kinds,
                          int32_t silence_label, int32_t partial_word_label, bool reorder, int32_t max_states) {
    const WordBoundaries boundaries = {kinds, silence_label, partial_word_label, reorder};
    return aligned(parts, transitions, [&](const FlatCompactLattice &lattice) {
      return align_words(lattice, transitions, boundaries, max_states);
    });
  });
  m.def("align_words_by_lexicon",
        [](const py::tuple &parts, const Transitions &transitions, const AlignmentLexicon &lexicon,
           int32_t partial_word_label, bool reorder, float max_expand) {
          return aligned(parts, transitions, [&](const FlatCompactLattice &lattice) {
            return align_words_by_lexicon(lattice, transitions, lexicon, partial_word_label, reorder, max_expand);
          });
        });
  m.def("with_super_final", [](const py::tuple &parts) {
    CompactStates states = states_of(flat_compact_lattice(parts));
    make_super_final(&states);
    return parts_of(flat(states));
  });
  py::class_<Sausages>(m, "Sausages")
      .def_readonly("words", &Sausages::words)
      .def_readonly("word_times", &Sausages::word_times)
      .def_readonly("confidences", &Sausages::confidences)
      .def_readonly("bins", &Sausages::bins)
      .def_readonly("bin_times", &Sausages::bin_times)
      .def_readonly("risk", &Sausages::risk)
      .def_readonly("warnings", &Sausages::warnings);
  m.def("minimum_bayes_risk",
        [](const py::tuple &parts, const std::vector<int32_t> &words, bool decode, bool print_silence) {
          const FlatCompactLattice lattice = flat_compact_lattice(parts);
          if (lattice.start != 0) throw std::invalid_argument("the lattice is empty, or not numbered topologically");
          py::gil_scoped_release release;
          return minimum_bayes_risk(lattice, words, {decode, print_silence});
        });
}

}  // namespace kaldi_bridge
