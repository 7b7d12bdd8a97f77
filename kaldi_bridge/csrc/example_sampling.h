// The words over which the objective of a minibatch of word sequences is summed (rnnlm/rnnlm-example.h).

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "c_random.h"
#include "sampling_lm.h"
#include "word_sampler.h"

namespace kaldi_bridge {

struct ExampleSamplingOptions {
  int32_t num_chunks = 128, chunk_length = 32, sample_group_size = 2, num_samples = 512;
  int32_t bos_symbol = 1, brk_symbol = 3;
  float special_symbol_prob = 1.0e-5f;  // of <s> and <brk>, which are never predicted
  float uniform_prob_mass = 0.05f;      // shared out among all others before the unigrams are taken
};

// Of a minibatch: arrays [chunk_length, num_chunks].
struct ExampleWords {
  const int32_t *input_words;
  const float *output_weights;
  int32_t *output_words;  // become places among the sampled words of their group
};

class ExampleSampler {
 public:
  // Throws std::invalid_argument where unigrams do not sum to 1, or <s> has one. The model must outlive this.
  ExampleSampler(const SamplingLm &model, const ExampleSamplingOptions &options);

  // How many words have a probability; no samples are drawn if they are fewer than num_samples.
  int32_t num_words() const { return num_words_; }
  bool is_sampling() const { return sampler_ != nullptr; }

  // For each group of sample_group_size times num_samples words, in order, and the inverse of the probability with which
  // each was drawn. Words that are predicted are among them. Returns how many groups predict nothing that has a weight;
  // there unigrams are sampled.
  int32_t sample(const ExampleWords &words, CRandom *random, int32_t *sampled_words, float *sample_inv_probs) const;

 private:
  WeightedHistories histories(const ExampleWords &words, int32_t group) const;
  History history_at(const ExampleWords &words, int32_t t, int32_t chunk) const;

  const SamplingLm &model_;
  const ExampleSamplingOptions options_;
  int32_t num_words_ = 0;
  std::unique_ptr<WordSampler> sampler_;
};

}  // namespace kaldi_bridge
