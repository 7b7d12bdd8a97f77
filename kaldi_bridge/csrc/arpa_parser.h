// Language models in ARPA form, n-gram by n-gram (lm/arpa-file-parser.cc): which lines are read, which are left out with
// a warning, and which end it, is as there.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "line_reader.h"
#include "symbol_table.h"

namespace kaldi_bridge {

struct Ngram {
  std::vector<int32_t> words;
  float logprob, backoff;  // natural logarithms; 0 for a backoff that is not there
};

struct ArpaOptions {
  bool add_words = false;     // whether words that are not in the table are added, rather than their n-grams left out
  bool need_words = false;    // whether one that is not in the table is an error, if it is not added
  uint32_t max_warnings = 0;  // of n-grams that are left out
};

using Message = std::function<void(const std::string &)>;

// What becomes of the n-grams.
class NgramConsumer {
 public:
  virtual ~NgramConsumer() = default;

  // The highest order, before the first n-gram.
  virtual void start(int32_t order) = 0;

  // The n-grams in the order of the file, all shorter ones first. Why this one is left out; null: it is not. Throws
  // std::invalid_argument where it ends everything.
  virtual const char *consume(const Ngram &ngram) = 0;
};

// Without a table `words` are numbers. Throws std::invalid_argument, which names the line, for what is no such file.
void parse_arpa(const ArpaOptions &options, ReadBlock read, SymbolTable *words, NgramConsumer *consumer,
                const Message &info, const Message &warn);

}  // namespace kaldi_bridge
