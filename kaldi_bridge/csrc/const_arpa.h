// Kaldi's language models that are used as they lie in the file (lm/const-arpa-lm.h), memory-mapped perhaps.
//
// The file is in the main an array of 32-bit words. An n-gram that others go on from is, at its address in there: its
// log-probability, its backoff, the number of words that follow it, and for each of them, sorted, the word and where it
// leads. That is, if even, a log-probability of an n-gram that nothing follows; if odd, twice the distance to its address from here,
// or, negative, its place in a list of those that are further away. Single words always have an address.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "arpa_parser.h"
#include "language_model.h"

namespace kaldi_bridge {

class ConstArpa {
 public:
  static constexpr int64_t kNone = -1;

  // The bytes must outlive it, and need not be aligned. `unigrams` and `overflow` are addresses plus 1; 0: there is none.
  // `unknown` is -1 where there is no such word.
  ConstArpa(const char *words, int64_t num_words, std::vector<int64_t> unigrams, std::vector<int64_t> overflow,
            int32_t order, int32_t begin, int32_t end, int32_t unknown);

  int32_t order() const { return order_; }
  int32_t begin() const { return begin_; }
  int32_t end() const { return end_; }

  // The word, or the unknown one where it is not in the model.
  int32_t known(int32_t word) const { return unknown_ >= 0 && unigram(word) == kNone ? unknown_ : word; }

  // All below throw std::invalid_argument for addresses outside.
  int64_t unigram(int32_t word) const;
  float logprob(int64_t address) const { return real(address); }
  float backoff(int64_t address) const { return real(address + 1); }
  int32_t num_children(int64_t address) const;

  // Whether a word follows: its log-probability, and the address of what it leads to, perhaps kNone.
  bool child(int64_t address, int32_t word, float *logprob, int64_t *next) const;

 private:
  int32_t integer(int64_t address) const;
  float real(int64_t address) const;

  const char *words_;
  const int64_t num_words_;
  const std::vector<int64_t> unigrams_, overflow_;
  const int32_t order_, begin_, end_, unknown_;
};

// States are histories: the longest endings of what was said that something follows in the model.
class ConstArpaModel : public LanguageModel {
 public:
  explicit ConstArpaModel(const ConstArpa *arpa);
  int32_t start() const override { return 0; }
  float final(int32_t state) override;
  bool follow(int32_t state, int32_t word, Step *step) override;

 private:
  // The addresses of a history, of it without its first word, and so on to that of its last word alone.
  using History = std::vector<int64_t>;

  float logprob(const History &history, int32_t word);
  History after(const History &history, int32_t word) const;
  int32_t find(History history);

  const ConstArpa &arpa_;
  std::vector<History> histories_;
  std::unordered_map<int64_t, int32_t> numbers_;  // by the first address
  std::vector<float> backoffs_;                   // logprob() only
};

// The parts of such a file, from a model in ARPA form whose words are numbers.
struct ConstArpaParts {
  std::vector<int32_t> words;
  std::vector<int64_t> unigrams, overflow;
  int32_t order = 0;
};

// `farthest` is the greatest distance that is no overflow. Throws std::invalid_argument, which names the line.
ConstArpaParts build_const_arpa(const ArpaOptions &options, ReadBlock read, int64_t farthest, const Message &info,
                                const Message &warn);

}  // namespace kaldi_bridge
