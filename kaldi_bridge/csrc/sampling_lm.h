// N-gram models from which words are sampled while an RNNLM is trained (rnnlm/sampling-lm.h).
//
// They are "with addition": what a history says of a word is added to what shorter histories say,
//
//   P(w | h) = p(h, w) + backoff(h) P(w | h without its oldest word),      P(w | no history) = unigram(w)
//
// so that a mixture of many histories is a weight of the unigrams and a short list of words with what to add to them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "arpa_parser.h"

namespace kaldi_bridge {

using History = std::vector<int32_t>;  // the oldest word first

// Kaldi's (util/stl-utils.h), since files and sums follow the order in which a hash table has its histories.
struct HistoryHash {
  size_t operator()(const History &history) const noexcept {
    size_t value = 0;
    for (int32_t word : history) value = value * 7853 + static_cast<size_t>(word);
    return value;
  }
};

template <class T>
using HistoryMap = std::unordered_map<History, T, HistoryHash>;

using WordWeights = std::vector<std::pair<int32_t, float>>;

struct SamplingState {
  float backoff = 1.0f;
  WordWeights words;  // by word, each with its p(h, w)
};

// Histories and their weights, each history once.
using WeightedHistories = std::vector<std::pair<History, float>>;

struct SamplingLm {
  std::vector<float> unigrams;                  // of each word
  std::vector<HistoryMap<SamplingState>> states;  // of histories of length 1, 2 and so on

  int32_t order() const { return static_cast<int32_t>(states.size()) + 1; }

  // A mixture's weight of the unigrams; `words` becomes what is added to the words that its histories name, by word.
  float mixture(const WeightedHistories &histories, WordWeights *words) const;
};

// Adds the histories of a model in Kaldi's binary form, which stand after the unigrams. Throws std::invalid_argument.
void read_states(std::string_view bytes, SamplingLm *model);

// The model that stands in a text in ARPA form. Throws std::invalid_argument.
SamplingLm parse_sampling_lm(ReadBlock read, const ArpaOptions &options, SymbolTable *words, const Message &info,
                             const Message &warn);

}  // namespace kaldi_bridge
