#include "sampling_lm.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace kaldi_bridge {
namespace {

History without_oldest(const History &history) { return {history.begin() + 1, history.end()}; }

std::string shortest(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

// Collects the n-grams with their whole probabilities, as they stand in the file.
class Collector : public NgramConsumer {
 public:
  explicit Collector(SamplingLm *model) : model_(model) {}

  void start(int32_t order) override { model_->states.resize(order - 1); }

  const char *consume(const Ngram &ngram) override {
    const size_t length = ngram.words.size();
    const int32_t word = ngram.words.back();
    if (word <= 0) throw std::invalid_argument("a word with the number 0");
    if (length == 1) {
      auto &unigrams = model_->unigrams;
      if (unigrams.size() <= static_cast<size_t>(word)) unigrams.resize(word + 1, 0.0f);
      if (unigrams[word] != 0.0f) throw std::invalid_argument("a word has two unigrams");
      unigrams[word] = std::exp(ngram.logprob);
    } else {
      const History history(ngram.words.begin(), ngram.words.end() - 1);
      model_->states[length - 2][history].words.emplace_back(word, std::exp(ngram.logprob));
    }
    if (ngram.backoff != 0.0f) {
      if (length > model_->states.size()) throw std::invalid_argument("an n-gram of the highest order has a backoff");
      model_->states[length - 1][ngram.words].backoff = std::exp(ngram.backoff);
    }
    return nullptr;
  }

 private:
  SamplingLm *model_;
};

// Of a word in a model whose states still hold whole probabilities.
float whole_probability(const SamplingLm &model, const History &history, int32_t word) {
  if (history.empty()) {
    if (static_cast<size_t>(word) >= model.unigrams.size()) throw std::invalid_argument("a word has no unigram");
    return model.unigrams[word];
  }
  const auto found = model.states[history.size() - 1].find(history);
  if (found == model.states[history.size() - 1].end())
    throw std::invalid_argument("the language model lacks a history that another one backs off to");
  const WordWeights &words = found->second.words;
  const auto at = std::lower_bound(words.begin(), words.end(), std::make_pair(word, 0.0f));
  if (at != words.end() && at->first == word) return at->second;
  return found->second.backoff * whole_probability(model, without_oldest(history), word);
}

// Takes from each probability what shorter histories add to it.
void subtract_backoff(SamplingLm *model, const Message &warn) {
  for (auto &states : model->states)
    for (auto &[history, state] : states) std::sort(state.words.begin(), state.words.end());
  for (size_t length = model->states.size(); length > 0; length--) {
    for (auto &[history, state] : model->states[length - 1]) {
      const History shorter = without_oldest(history);
      if (!shorter.empty()) model->states[length - 2][shorter];  // one that only backs off need not be in the file
      double total = 0.0;
      for (auto &[word, probability] : state.words) {
        const float added = state.backoff * whole_probability(*model, shorter, word);
        if (added > 1.01 * probability)
          warn("Backoff part of prob is larger than prob itself: " + shortest(added) + " > " + shortest(probability) +
               ".  This may mean your language model was not Kneser-Ney 'with addition'.");
        probability -= added;
        total += probability;
      }
      const float sum = total + state.backoff;
      if (std::fabs(sum - 1.0) > 0.01) warn("Expected LM-state to sum to one, got " + shortest(sum));
    }
  }
}

}  // namespace

float SamplingLm::mixture(const WeightedHistories &histories, WordWeights *words) const {
  HistoryMap<float> weights;  // of histories that the model has, with those that they back off to
  double of_unigrams = 0.0;
  for (const auto &[given, given_weight] : histories) {
    History history = given;
    float weight = given_weight;
    while (!history.empty() && states[history.size() - 1].count(history) == 0) history.erase(history.begin());
    for (; !history.empty(); history.erase(history.begin())) {
      const auto state = states[history.size() - 1].find(history);
      if (state == states[history.size() - 1].end())
        throw std::invalid_argument("the language model lacks a history that another one backs off to");
      weights[history] += weight;
      weight *= state->second.backoff;
    }
    of_unigrams += weight;
  }
  std::unordered_map<int32_t, float> added;
  for (const auto &[history, weight] : weights)
    for (const auto &[word, probability] : states[history.size() - 1].at(history).words)
      added[word] += probability * weight;
  words->assign(added.begin(), added.end());
  std::sort(words->begin(), words->end());
  return static_cast<float>(of_unigrams);
}

SamplingLm parse_sampling_lm(ReadBlock read, const ArpaOptions &options, SymbolTable *words, const Message &info,
                             const Message &warn) {
  SamplingLm model;
  Collector collector(&model);
  parse_arpa(options, std::move(read), words, &collector, info, warn);
  subtract_backoff(&model, warn);
  return model;
}

}  // namespace kaldi_bridge
