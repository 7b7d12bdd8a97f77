#include "outcome_module.h"

#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "determinize_module.h"

namespace py = pybind11;

namespace kaldi_bridge {

namespace {

// Its lattice may have a million small pieces.
struct DeletedWithoutLock {
  void operator()(SearchResult *result) const {
    py::gil_scoped_release release;
    delete result;
  }
};

OutcomeOptions make_options(const PhoneDeterminizeOptions *determinization, const InputArray<int32_t> &phone_of,
                            double acoustic) {
  OutcomeOptions options;
  options.determinizes = determinization != nullptr;
  if (determinization) options.determinization = *determinization;
  options.phone_of.assign(phone_of.data(), phone_of.data() + phone_of.size());
  options.acoustic = acoustic;
  return options;
}

// (words, transition-ids, cost, parts of the lattice, reached_final, complete, messages).
py::tuple as_python(Outcome &&made, const OutcomeOptions &options) {
  const Cost &cost = made.best.cost;
  return py::make_tuple(made.best.words, made.best.tids,
                        py::make_tuple(static_cast<float>(cost.graph), static_cast<float>(cost.acoustic)),
                        options.determinizes ? parts_of(std::move(made.compact)) : parts_of(std::move(made.plain)),
                        made.reached_final, made.complete, as_python(made.messages));
}

py::tuple outcome(const SearchResult &result, const OutcomeOptions &options) {
  Outcome made;
  {
    py::gil_scoped_release release;
    made = outcome_of(result, options);
  }
  return as_python(std::move(made), options);
}

// Of one utterance of several: the outcome, or none where no path survived, or why there can be none.
struct Attempt {
  std::optional<Outcome> outcome;
  std::string error;
};

// One after the other, all without the interpreter's lock: to take it again may take as long as a short utterance.
py::list decode_each(const Graph &graph, const SearchOptions &search_options,
                     const std::vector<InputArray<float>> &likelihoods, float scale, const OutcomeOptions &options) {
  for (const InputArray<float> &matrix : likelihoods) check_likelihoods(graph.num_pdfs(), matrix);
  std::vector<Attempt> attempts;
  {
    py::gil_scoped_release release;
    for (const InputArray<float> &matrix : likelihoods) {
      Attempt &attempt = attempts.emplace_back();
      try {
        const SearchResult found =
            search(graph, search_options, matrix.data(), matrix.shape(0), matrix.shape(1), scale);
        if (!found.lattice.empty()) attempt.outcome = outcome_of(found, options);
      } catch (const std::invalid_argument &error) {
        attempt.error = error.what();
        break;
      }
    }
  }
  py::list made;
  for (Attempt &attempt : attempts) {
    if (attempt.outcome)
      made.append(as_python(std::move(*attempt.outcome), options));
    else if (attempt.error.empty())
      made.append(py::none());
    else
      made.append(attempt.error);
  }
  return made;
}

}  // namespace

void check_likelihoods(int32_t num_pdfs, const InputArray<float> &likelihoods) {
  if (likelihoods.ndim() != 2 || likelihoods.shape(0) < 1) throw std::invalid_argument("no frames to search");
  if (likelihoods.shape(1) < num_pdfs)
    throw std::invalid_argument("the graph needs " + std::to_string(num_pdfs) + " pdfs, but there are only " +
                                std::to_string(likelihoods.shape(1)));
}

void add_outcomes(py::module_ &m) {
  py::class_<OutcomeOptions>(m, "OutcomeOptions", "See outcome.h; without options of a determinization there is none.")
      .def(py::init(&make_options));
  py::class_<SearchResult, std::unique_ptr<SearchResult, DeletedWithoutLock>>(m, "SearchResult")
      .def_property_readonly("num_states", [](const SearchResult &r) { return r.lattice.size(); })
      .def("outcome", &outcome);
  m.def("decode_each", &decode_each,
        "Of log-likelihoods [frames, pdfs] of some utterances: outcomes as SearchResult.outcome gives them, or None; "
        "a message in place of the first that cannot be searched.");
}

}  // namespace kaldi_bridge
