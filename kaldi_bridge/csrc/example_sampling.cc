#include "example_sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>

namespace kaldi_bridge {

ExampleSampler::ExampleSampler(const SamplingLm &model, const ExampleSamplingOptions &options)
    : model_(model), options_(options) {
  std::vector<float> unigrams = model.unigrams;
  const int32_t size = static_cast<int32_t>(unigrams.size());
  if (options.bos_symbol >= size || options.brk_symbol >= size)
    throw std::invalid_argument("the language model has no words of the numbers --bos-symbol and --brk-symbol");
  if (!(std::fabs(std::accumulate(unigrams.begin(), unigrams.end(), 0.0) - 1.0) < 0.01))
    throw std::invalid_argument("the unigrams of the language model do not sum to 1");
  if (!(unigrams[options.bos_symbol] < 1.0e-10))
    throw std::invalid_argument("the language model predicts <s>: is --bos-symbol right?");
  const float share = options.uniform_prob_mass / (size - 1);
  for (int32_t word = 1; word < size; word++) unigrams[word] += share;
  unigrams[options.bos_symbol] = unigrams[options.brk_symbol] = options.special_symbol_prob;
  const double scale = 1.0 / std::accumulate(unigrams.begin(), unigrams.end(), 0.0);
  for (float &unigram : unigrams) {
    num_words_ += unigram != 0.0f;
    unigram *= scale;
  }
  if (options.num_samples > 0 && options.num_samples <= num_words_) sampler_ = std::make_unique<WordSampler>(unigrams);
}

int32_t ExampleSampler::sample(const ExampleWords &words, CRandom *random, int32_t *sampled_words,
                               float *sample_inv_probs) const {
  int32_t without_histories = 0;
  const int32_t groups = options_.chunk_length / options_.sample_group_size;
  const int32_t group_words = options_.sample_group_size * options_.num_chunks;
  for (int32_t group = 0; group < groups; group++) {
    int32_t *const begin = words.output_words + group * group_words, *const end = begin + group_words;
    std::vector<int32_t> needed(begin, end);
    std::sort(needed.begin(), needed.end());
    needed.erase(std::unique(needed.begin(), needed.end()), needed.end());
    if (needed.front() < 0 || needed.back() >= static_cast<int32_t>(model_.unigrams.size()))
      throw std::invalid_argument("the word " + std::to_string(needed.back()) + " is not in the language model");

    WordWeights added;
    WeightedHistories before = histories(words, group);
    if (before.empty()) {
      without_histories++;
      before.emplace_back(History(), 1.0f);
    }
    const float weight = model_.mixture(before, &added);
    const WordWeights drawn = sampler_->sample(options_.num_samples, weight, added, needed, random);
    int32_t *const place = sampled_words + group * options_.num_samples;
    for (int32_t i = 0; i < options_.num_samples; i++) {
      place[i] = drawn[i].first;
      sample_inv_probs[group * options_.num_samples + i] = 1.0 / drawn[i].second;
    }
    for (int32_t *word = begin; word != end; word++) {
      const int32_t *const found = std::lower_bound(place, place + options_.num_samples, *word);
      if (found == place + options_.num_samples || *found != *word) throw std::logic_error("a needed word was not drawn");
      *word = static_cast<int32_t>(found - place);
    }
  }
  return without_histories;
}

// What words of a group are predicted after, with the sums of their weights.
WeightedHistories ExampleSampler::histories(const ExampleWords &words, int32_t group) const {
  HistoryMap<float> weights;
  for (int32_t t = group * options_.sample_group_size; t < (group + 1) * options_.sample_group_size; t++) {
    for (int32_t chunk = 0; chunk < options_.num_chunks; chunk++) {
      const float weight = words.output_weights[t * options_.num_chunks + chunk];
      if (weight != 0.0f) weights[history_at(words, t, chunk)] += weight;
    }
  }
  return {weights.begin(), weights.end()};
}

// As many words as the model looks back, or from <s> or <brk> on; the input at t is what stands before the output at t.
History ExampleSampler::history_at(const ExampleWords &words, int32_t t, int32_t chunk) const {
  History history;
  for (int32_t length = model_.order() - 1; length > 0 && t >= 0; length--, t--) {
    const int32_t word = words.input_words[t * options_.num_chunks + chunk];
    history.push_back(word);
    if (word == options_.bos_symbol || word == options_.brk_symbol) break;
  }
  std::reverse(history.begin(), history.end());
  return history;
}

}  // namespace kaldi_bridge
