// Models from which words are sampled, and the sampling, for Python.

#include "sampling_module.h"

#include <pybind11/stl.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "c_random.h"
#include "example_sampling.h"
#include "lattice_arrays.h"
#include "python_text.h"
#include "sampling_lm.h"
#include "sampling_lm_estimator.h"

namespace py = pybind11;

namespace kaldi_bridge {
namespace {

using RandomValues = std::array<uint32_t, CRandom::kLag>;

std::shared_ptr<SamplingLm> empty_model(int32_t order, const std::vector<float> &unigrams) {
  if (order < 1) throw std::invalid_argument("the order of a language model is less than 1");
  auto model = std::make_shared<SamplingLm>();
  model->unigrams = unigrams;
  model->states.resize(order - 1);
  return model;
}

void add_state(SamplingLm &model, const History &history, float backoff, const InputArray<int32_t> &words,
               const InputArray<float> &probabilities) {
  if (history.empty() || history.size() > model.states.size() || words.size() != probabilities.size())
    throw std::invalid_argument("no such history in a model of this order");
  SamplingState &state = model.states[history.size() - 1][history];
  state.backoff = backoff;
  state.words.clear();
  for (py::ssize_t i = 0; i < words.size(); i++) state.words.emplace_back(words.data()[i], probabilities.data()[i]);
}

// (history, backoff, words, probabilities) of each history of a length.
py::list states_of(const SamplingLm &model, size_t length) {
  py::list made;
  for (const auto &[history, state] : model.states.at(length - 1)) {
    std::vector<int32_t> words;
    std::vector<float> probabilities;
    for (const auto &[word, probability] : state.words) {
      words.push_back(word);
      probabilities.push_back(probability);
    }
    made.append(py::make_tuple(history, state.backoff, as_array(std::move(words)), as_array(std::move(probabilities))));
  }
  return made;
}

// A sampler with the model that it samples from.
class KeptSampler {
 public:
  KeptSampler(std::shared_ptr<SamplingLm> model, const ExampleSamplingOptions &options)
      : model_(std::move(model)), options_(options), sampler_(*model_, options) {}

  int32_t num_words() const { return sampler_.num_words(); }
  bool is_sampling() const { return sampler_.is_sampling(); }

  // (output words, sampled words, inverse probabilities, groups without histories, random values to go on from).
  py::tuple sample(const InputArray<int32_t> &input_words, const InputArray<int32_t> &output_words,
                   const InputArray<float> &output_weights, const RandomValues &values) const {
    const py::ssize_t size = static_cast<py::ssize_t>(options_.num_chunks) * options_.chunk_length;
    if (!is_sampling() || input_words.size() != size || output_words.size() != size || output_weights.size() != size)
      throw std::invalid_argument("the arrays of a minibatch have other sizes");
    std::vector<int32_t> outputs(output_words.data(), output_words.data() + size);
    const size_t groups = options_.chunk_length / options_.sample_group_size;
    std::vector<int32_t> sampled(groups * options_.num_samples);
    std::vector<float> inverse(sampled.size());
    const ExampleWords words = {input_words.data(), output_weights.data(), outputs.data()};
    CRandom random(values);
    int32_t without_histories;
    {
      py::gil_scoped_release release;
      without_histories = sampler_.sample(words, &random, sampled.data(), inverse.data());
    }
    return py::make_tuple(as_array(std::move(outputs)), as_array(std::move(sampled)), as_array(std::move(inverse)),
                          without_histories, random.values());
  }

 private:
  const std::shared_ptr<SamplingLm> model_;
  const ExampleSamplingOptions options_;
  const ExampleSampler sampler_;
};

}  // namespace

void add_sampling(py::module_ &m) {
  py::class_<SamplingLm, std::shared_ptr<SamplingLm>>(m, "SamplingLm", "See sampling_lm.h.")
      .def(py::init(&empty_model))
      .def_property_readonly("order", &SamplingLm::order)
      .def_property_readonly("unigrams",
                             [](const SamplingLm &model) { return as_array(std::vector<float>(model.unigrams)); })
      .def("add_state", &add_state)
      .def("states", &states_of)
      .def("read_states", [](SamplingLm &model, const py::bytes &bytes) { read_states(bytes, &model); })
      .def_static("parse_arpa", [](const ArpaOptions &options, SymbolTable &words, const py::function &read,
                                   const py::function &info, const py::function &warn) {
        return std::make_shared<SamplingLm>(with_errors(
            [&] { return parse_sampling_lm(read_block(read), options, &words, message(info), message(warn)); }));
      });

  py::class_<SamplingLmOptions>(m, "SamplingLmOptions")
      .def(py::init<>())
      .def_readwrite("vocab_size", &SamplingLmOptions::vocab_size)
      .def_readwrite("ngram_order", &SamplingLmOptions::ngram_order)
      .def_readwrite("discounting_constant", &SamplingLmOptions::discounting_constant)
      .def_readwrite("unigram_factor", &SamplingLmOptions::unigram_factor)
      .def_readwrite("backoff_factor", &SamplingLmOptions::backoff_factor)
      .def_readwrite("bos_factor", &SamplingLmOptions::bos_factor)
      .def_readwrite("unigram_power", &SamplingLmOptions::unigram_power)
      .def_readwrite("bos_symbol", &SamplingLmOptions::bos_symbol)
      .def_readwrite("eos_symbol", &SamplingLmOptions::eos_symbol);
  py::class_<SamplingLmEstimator>(m, "SamplingLmEstimator", "See sampling_lm_estimator.h.")
      .def(py::init<const SamplingLmOptions &>())
      .def("add", &SamplingLmEstimator::add)
      .def("estimate", [](SamplingLmEstimator &estimator, bool for_arpa,
                          const py::function &info) { estimator.estimate(for_arpa, message(info)); })
      .def("model",
           [](const SamplingLmEstimator &estimator) { return std::make_shared<SamplingLm>(estimator.model()); })
      .def("arpa", [](const SamplingLmEstimator &estimator, const std::vector<std::string> &names) {
        return py::bytes(estimator.arpa(names));
      });

  py::class_<ExampleSamplingOptions>(m, "ExampleSamplingOptions")
      .def(py::init<>())
      .def_readwrite("num_chunks", &ExampleSamplingOptions::num_chunks)
      .def_readwrite("chunk_length", &ExampleSamplingOptions::chunk_length)
      .def_readwrite("sample_group_size", &ExampleSamplingOptions::sample_group_size)
      .def_readwrite("num_samples", &ExampleSamplingOptions::num_samples)
      .def_readwrite("bos_symbol", &ExampleSamplingOptions::bos_symbol)
      .def_readwrite("brk_symbol", &ExampleSamplingOptions::brk_symbol)
      .def_readwrite("special_symbol_prob", &ExampleSamplingOptions::special_symbol_prob)
      .def_readwrite("uniform_prob_mass", &ExampleSamplingOptions::uniform_prob_mass);
  py::class_<KeptSampler>(m, "ExampleSampler", "See example_sampling.h.")
      .def(py::init<std::shared_ptr<SamplingLm>, const ExampleSamplingOptions &>())
      .def_property_readonly("num_words", &KeptSampler::num_words)
      .def_property_readonly("is_sampling", &KeptSampler::is_sampling)
      .def("sample", &KeptSampler::sample);
}

}  // namespace kaldi_bridge
