// Estimates a model from which words are sampled (sampling_lm.h) from text: rnnlm/sampling-lm-estimate.h.
//
// A history's counts are discounted by a constant, times the highest weight of a sentence in which the n-gram occurs; what
// that leaves goes to the shorter history. Then only n-grams remain that are much more likely than their last word alone,
// and of those with more than one word before it, than what the shorter history says. Numbers, and the order in which the
// histories come, are those of Kaldi's program.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "arpa_parser.h"
#include "sampling_lm.h"

namespace kaldi_bridge {

struct SamplingLmOptions {
  int32_t vocab_size = -1, ngram_order = 3;
  float discounting_constant = 1.0f, unigram_factor = 100.0f, backoff_factor = 2.0f, bos_factor = 5.0f;
  float unigram_power = 0.8f;
  int32_t bos_symbol = 1, eos_symbol = 2;
};

class SamplingLmEstimator {
 public:
  explicit SamplingLmEstimator(const SamplingLmOptions &options) : options_(options), states_(options.ngram_order) {}

  // Counts a sentence. Throws std::invalid_argument for a word that is not from 1 to vocab_size - 1.
  void add(float weight, const std::vector<int32_t> &sentence);

  // Once, after all sentences. `for_arpa`: n-grams stay that a file in ARPA form must have. Throws std::invalid_argument
  // where there are no sentences, or weights do not make sense.
  void estimate(bool for_arpa, const Message &info);

  SamplingLm model() const;

  // In ARPA form, three digits after the point; `names` of all words.
  std::string arpa(const std::vector<std::string> &names) const;

 private:
  struct Count {
    int32_t word;
    float highest;  // of the weights that were added up
    double count;
  };

  struct State {
    float total = 0.0f, backoff = 0.0f;
    std::vector<Count> counts;  // by word
    std::vector<std::pair<int32_t, float>> pending;
    size_t pending_limit = 0;
    bool is_needed = false;  // a longer history backs off to it

    void add(int32_t word, float weight);
    void merge_pending();
    const Count *find(int32_t word) const;
  };

  using States = HistoryMap<State>;

  static void merge_equal_words(std::vector<Count> *counts);
  void count_shorter(size_t length);
  void add_up(size_t length);
  void estimate_unigrams();
  void discount(size_t length);
  void prune_ngrams(size_t length, const Message &info);
  bool is_kept(const Count &count, const History &history, const State &state,
               const std::vector<const State *> &shorter) const;
  void prune_states(size_t length, bool for_arpa, const Message &info);
  bool restore_ngram(const History &history, const State &state);
  void raise_unigrams_to_power();

  State &state_of(const History &history);
  std::vector<const State *> shorter_states(History history) const;
  float probability(int32_t word, const std::vector<const State *> &states) const;
  float backoff_of(History history, int32_t word) const;

  const SamplingLmOptions options_;
  std::vector<States> states_;  // by the length of the history
  std::vector<float> unigrams_;
};

}  // namespace kaldi_bridge
